import type { Engine } from '#index';

/** Kinds of functions, in the engine's own words, that make a value of values and look at nothing else. */
const categories = [
  'Arithmetic',
  'Arrays',
  'Bit',
  'Comparison',
  'Conditional',
  'Dates and Times',
  'Distance',
  'Encoding',
  'Hash',
  'IP Address',
  'JSON',
  'Logical',
  'Map',
  'Mathematical',
  'Null',
  'Random Number',
  'Rounding',
  'String',
  'String Replacement',
  'String Search',
  'String Splitting',
  'Time Window',
  'Tuple',
  'Type Conversion',
  'URL',
  'UUID',
  'Aggregate Functions',
];

/** Of other kinds, or made by the engine's parser from an operator. */
const alsoAllowed = [
  'lambda',
  'exists',
  'caseWithExpression',
  'bar',
  'transform',
  'identity',
  'materialize',
  'byteSize',
  'visibleWidth',
  'toTypeName',
  'formatReadableSize',
  'formatReadableDecimalSize',
  'formatReadableQuantity',
  'formatReadableTimeDelta',
  'parseReadableSize',
  'parseTimeDelta',
  'grouping',
];

/** Of the kinds above, and yet they tell of the machine. */
const notAllowed = ['serverTimezone', 'timezone', 'chdb'];

/** Suffixes that make another aggregate function of one (`countIf`). */
const combinator =
  /(?:if|array|map|distinct|ordefault|ornull|resample|foreach|argmin|argmax|state|simplestate|merge)$/;

/** Whether a function may be called, by its name in any letter case. */
export type IsAllowed = (name: string) => boolean;

/** @throws IndexError */
export const loadFunctions = async (engine: Engine): Promise<IsAllowed> => {
  const rows = await engine.rows(
    'background',
    'SELECT name, alias_to, categories, is_aggregate FROM system.functions',
  );
  const allowed = new Set(lower(alsoAllowed));
  const aggregates = new Set<string>();
  for (const row of rows) {
    if (!categories.includes(String(row['categories']))) continue;
    allowed.add(String(row['name']).toLowerCase());
    if (Number(row['is_aggregate']) === 1) aggregates.add(String(row['name']).toLowerCase());
  }
  for (const name of lower(notAllowed)) allowed.delete(name);
  for (const row of rows) {
    const target = String(row['alias_to']).toLowerCase();
    if (!allowed.has(target)) continue;
    allowed.add(String(row['name']).toLowerCase());
    if (aggregates.has(target)) aggregates.add(String(row['name']).toLowerCase());
  }
  for (const name of lower(notAllowed)) allowed.delete(name);
  return (name) => allowed.has(name.toLowerCase()) || isCombined(name.toLowerCase(), aggregates);
};

const isCombined = (name: string, aggregates: ReadonlySet<string>): boolean => {
  for (let rest = name; ;) {
    const shorter = rest.replace(combinator, '');
    if (shorter === rest) return false;
    if (aggregates.has(shorter)) return true;
    rest = shorter;
  }
};

const lower = (names: readonly string[]): string[] => names.map((name) => name.toLowerCase());
