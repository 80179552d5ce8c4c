import type { Clock } from '#base/clock';
import type { Index, Parameters } from '#index';

/** Lines of a query, as a condition with what it is bound to. */
export type Selection = { where: string; parameters: Parameters };

/** So many lines are read by one statement: others' searches run between two. */
const sliceLines = 250_000;
const mostSlices = 2000;

/** @throws IndexError */
export const countSelected = async (index: Index, { where, parameters }: Selection): Promise<number> => {
  const [row] = await index.engine.rows(
    'interactive',
    `SELECT count() AS n FROM lines WHERE ${where}`,
    parameters,
  );
  return Number(row?.['n'] ?? 0);
};

/**
 * The selection in slices of time, the newest first, until `until` (the clock's `elapsed()`) has come; each slice has
 * about `sliceLines` lines, or those of one instant. What reads them all has read the whole selection.
 * @throws IndexError
 */
export const slices = async function* (
  index: Index,
  selection: Selection,
  lines: number,
  until: number,
  clock: Clock,
): AsyncGenerator<Selection> {
  const edges = lines <= sliceLines ? [] : await edgesOf(index, selection, lines);
  for (let at = edges.length; at >= 0; at -= 1) {
    if (clock.elapsed() >= until) return;
    const [from, to] = [edges[at - 1], edges[at]];
    const bounds = [
      ...(from === undefined ? [] : [`time >= ${timeSql(from)}`]),
      ...(to === undefined ? [] : [`time < ${timeSql(to)}`]),
    ];
    yield { where: [selection.where, ...bounds].join(' AND '), parameters: selection.parameters };
  }
};

/** Times that part the lines into about equal numbers, rising. */
const edgesOf = async (index: Index, { where, parameters }: Selection, lines: number): Promise<string[]> => {
  const parts = Math.min(mostSlices, Math.ceil(lines / sliceLines));
  const levels = Array.from({ length: parts - 1 }, (_, at) => ((at + 1) / parts).toFixed(6));
  const [row] = await index.engine.rows(
    'interactive',
    `SELECT arrayMap(t -> toString(toInt64(t)), quantiles(${levels.join(', ')})(toUnixTimestamp64Micro(time))) AS edges FROM lines WHERE ${where}`,
    parameters,
  );
  const edges = row?.['edges'];
  return Array.isArray(edges) ? [...new Set(edges.map(String))] : [];
};

const timeSql = (micros: string): string => `fromUnixTimestamp64Micro(toInt64(${micros}))`;
