import type { Parameters } from '#index';
import { fieldText } from '#search';

/** The values of some fields of one line, in the order of their names. */
export type Key = readonly string[];

/** An expression that gives the key of a row, an array of strings; what a line does not have is empty. */
export const keySql = (names: readonly string[]): { sql: string; parameters: Parameters } => {
  const parameters: Record<string, string> = {};
  const parts = names.map((name, at) => {
    parameters[`k${at}`] = name;
    return fieldText(name, `k${at}`) ?? "''";
  });
  return { sql: parts.length === 0 ? `['']` : `[${parts.join(', ')}]`, parameters };
};

/** By name; empty for a rule that goes by nothing. */
export const valuesOf = (names: readonly string[], key: Key): Record<string, string> =>
  Object.fromEntries(names.map((name, at) => [name, key[at] ?? '']));

/** As a row of the engine or of the store has it. */
export const parseKey = (value: unknown): Key => {
  const parsed: unknown = typeof value === 'string' ? JSON.parse(value) : value;
  return Array.isArray(parsed) ? parsed.map(String) : [];
};
