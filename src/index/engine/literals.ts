import { IndexError } from '../errors.ts';
import type { Parameters } from './engine.ts';

/**
 * Writes bound values into a statement. The binding runs all statements that have parameters one after the other in the
 * whole process (chdb-node#51), so that a heavy search would hold back everybody's. Texts are written as hexadecimal
 * digits, so that nothing in them can be taken for SQL.
 * @throws IndexError `engine-statement` for a parameter that is not given, or is not of its type
 */
export const withLiterals = (sql: string, parameters: Parameters | undefined): string =>
  parameters === undefined
    ? sql
    : sql.replaceAll(/\{(\w+):([\w()]+)\}/g, (_, name: string, type: string) =>
        literal(name, type, Object.hasOwn(parameters, name) ? parameters[name] : undefined),
      );

const literal = (name: string, type: string, value: Parameters[string] | undefined): string => {
  if (typeof value === 'string' && type === 'String') return text(value);
  if (Array.isArray(value) && type === 'Array(String)')
    return `[${value.map((one) => text(String(one))).join(', ')}]`;
  if (
    isNumberType(type) &&
    (typeof value === 'number' || typeof value === 'string') &&
    number.test(String(value))
  )
    return `CAST('${value}', '${type}')`;
  throw new IndexError('engine-statement', `parameter ${name} of a statement is no ${type}`);
};

const number = /^-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$/;

const isNumberType = (type: string): boolean => /^U?Int(8|16|32|64)$|^Float64$/.test(type);

const text = (value: string): string => `unhex('${Buffer.from(value, 'utf8').toString('hex')}')`;
