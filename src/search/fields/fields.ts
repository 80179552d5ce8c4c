import type { Clock } from '#base/clock';
import type { Index } from '#index';
import type { Answer } from '#wire/search';
import type { Field, FieldsRead } from '#wire/fields';
import { answerTo } from '../answer.ts';
import type { FreshnessReader } from '../freshness.ts';
import { readQuery } from '../query/read.ts';
import { asSearchError, compiledFor } from '../search.ts';
import { countSelected, slices, type Selection } from '../slices.ts';

export type FieldsAsked = { query: string; limit: number; values: number };

export type FieldsFound = { fields: Field[]; read: FieldsRead; answer: Answer };

/** Milliseconds for reading lines. */
const readMs = 10_000;
const mostNames = 5000;
/** Values of a field that one statement tells apart, and those that are kept of it. */
const valuesTold = 100;

/** The fields that were taken out of the lines that match. @throws SearchError */
export const fields = async (
  index: Index,
  { query: text, limit, values }: FieldsAsked,
  clock: Clock,
  freshness: FreshnessReader,
): Promise<FieldsFound> => {
  const started = clock.elapsed();
  const searched = `entry < ${index.state().indexed}`;
  const compiled = await compiledFor(index, await readQuery(index, text, clock), searched);
  const { parameters, query } = compiled;
  const selection = { where: `${searched} AND ${compiled.where}`, parameters };
  return asSearchError(index, compiled, async () => {
    const count = await countSelected(index, selection);
    const known = new Map<string, Known>();
    let lines = 0;
    for await (const slice of slices(index, selection, count, clock.elapsed() + readMs, clock)) {
      lines += await readSlice(index, slice, known);
      // Other searches are served by this thread too.
      await new Promise(setImmediate);
    }
    const found = [...known].toSorted(
      ([nameA, a], [nameB, b]) => b.lines - a.lines || (nameA < nameB ? -1 : 1),
    );
    return {
      fields: found.slice(0, limit).map(([name, one]) => ({
        name,
        lines: one.lines,
        share: Math.round((one.lines / lines) * 10_000) / 10_000,
        values: mostOf(one.values, values).map(([value, n]) =>
          one.isWhole ? { value, lines: n } : { value, lines: n, atLeast: true as const },
        ),
      })),
      read: { read: { lines, of: count, fields: found.length } },
      answer: await answerTo(index, { query, shown: [], count, started }, clock, freshness),
    };
  });
};

/** `isWhole`: no value was left out, so each number is exact; else it is the least that it can be. */
type Known = { lines: number; values: Map<string, number>; isWhole: boolean };

/** @returns lines that were read */
const readSlice = async (
  index: Index,
  { where, parameters }: Selection,
  known: Map<string, Known>,
): Promise<number> => {
  const lines = await countSelected(index, { where, parameters });
  const rows = await index.engine.rows(
    'interactive',
    `SELECT name, countIf(nth = 1) AS n, approx_top_k(${valuesTold})(substring(value, 1, 200)) AS most
    FROM lines
    ARRAY JOIN mapKeys(fields) AS name, mapValues(fields) AS value, arrayEnumerateUniq(mapKeys(fields)) AS nth
    WHERE ${where} GROUP BY name
    SETTINGS max_rows_to_group_by = ${mostNames}, group_by_overflow_mode = 'any'`,
    parameters,
  );
  for (const row of rows) {
    const name = String(row['name']);
    if (!known.has(name) && known.size >= mostNames) continue;
    const one = known.get(name) ?? { lines: 0, values: new Map<string, number>(), isWhole: true };
    one.lines += Number(row['n']);
    const most = valuesOf(row['most']);
    for (const [value, n] of most) one.values.set(value, (one.values.get(value) ?? 0) + n);
    known.set(name, {
      lines: one.lines,
      values: new Map(mostOf(one.values, valuesTold)),
      isWhole: one.isWhole && most.length < valuesTold && one.values.size <= valuesTold,
    });
  }
  return lines;
};

const mostOf = (values: ReadonlyMap<string, number>, most: number): [string, number][] =>
  [...values].toSorted(([valueA, a], [valueB, b]) => b - a || (valueA < valueB ? -1 : 1)).slice(0, most);

/** Of tuples of value, number and by how much that may be too high: the value, and its least number. */
const valuesOf = (most: unknown): [string, number][] => {
  if (!Array.isArray(most)) return [];
  return most.map((tuple: unknown) => {
    const [value, n, tooHigh] = typeof tuple === 'object' && tuple !== null ? Object.values(tuple) : [];
    return [String(value), Number(n) - Number(tooHigh)];
  });
};
