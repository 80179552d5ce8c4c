import { facilityNames, severityNames } from '#index';
import { fieldNamed } from '../query/field-names.ts';

/**
 * An expression for what a line has in a field, as text and as the query language names it: `err`, not `3`; empty where
 * it has nothing.
 * @param name as the query language takes it before a colon, letter case not counting; else an extracted field
 * @param parameter of the statement, which holds `name`
 * @returns `null` for what is no field of a line: since, until, around, address
 */
export const fieldText = (name: string, parameter: string): string | null => {
  const field = fieldNamed(name);
  switch (field) {
    case 'host':
    case 'app':
    case 'source':
    case 'via':
    case 'listener':
      return `toString(${field})`;
    case 'message':
      return 'toValidUTF8(message)';
    case 'severity':
      return nameOf('severity', severityNames);
    case 'facility':
      return nameOf('facility', facilityNames);
    case 'pid':
      return "ifNull(toString(pid), '')";
    case null:
      return `toValidUTF8(fields[{${parameter}:String}])`;
    default:
      return null;
  }
};

const nameOf = (column: string, names: readonly string[]): string =>
  `transform(toInt64(${column}), [${names.map((_, at) => at).join(', ')}], [${names.map((name) => `'${name}'`).join(', ')}], '')`;
