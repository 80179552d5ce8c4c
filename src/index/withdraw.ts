import { inSql } from './contents.ts';
import type { Engine } from './engine/engine.ts';
import { IndexError } from './errors.ts';
import { rowsMatching } from './matching.ts';
import type { Progress, Repeat } from './progress.ts';
import { lines } from './schema.ts';
import { conditionOf, isWithdrawn, type Withdrawn } from './withdrawn.ts';

/** Withdrawn together: a statement has a bound. */
export const mostTogether = 200;

type Numbers = { stream: string; first: number; last: number };

/**
 * The progress of an index without these lines: to be written before `deleteWithdrawn` is called, so that a deletion
 * that is cut short is completed at the next start. It is what an index would come to that is made again.
 * @returns `null` where only making it again can tell: another line of the same number stays, and what became of it
 *   hung on the one that goes
 * @throws IndexError
 */
export const withoutWithdrawn = async (
  engine: Engine,
  done: Progress,
  withdrawn: readonly Withdrawn[],
): Promise<Progress | null> => {
  const deleting = withdrawn.map(conditionOf);
  const condition = deleting.join(' OR ');
  const rows = await rowsMatching(engine, condition);
  const amended = Math.max(...withdrawn.map(({ amendment }) => amendment)) + 1;
  const repeats =
    done.repeats?.filter(({ entry }) => !withdrawn.some((one) => isWithdrawn(one, entry))) ?? null;
  const gone =
    (done.repeats?.length ?? 0) === (repeats?.length ?? 0) ? 0 : linesOf(done.repeats) - linesOf(repeats);
  const after = {
    ...done,
    revision: done.revision + 1,
    amended,
    lines: done.lines - rows,
    redelivered: done.redelivered - gone,
    repeats,
    deleting: rows === 0 ? [] : deleting,
    altered: done.altered.filter(({ entry }) => !withdrawn.some((one) => isWithdrawn(one, entry))),
  };
  if (rows === 0) return after;
  const numbers = await numbersOf(engine, condition);
  if (numbers === null || (numbers.length > 0 && (done.conflicts > 0 || repeats === null))) return null;
  const keyed = await rowsMatching(engine, `(${condition}) AND ${hasKey}`);
  if (
    keyed > 0 &&
    (done.conflicts > 0 || repeats === null || (await repeatedKeys(engine, condition, repeats)))
  )
    return null;
  if (numbers.some((some) => repeats?.some((repeat) => overlaps(some, repeat)))) return null;
  const numbering = done.numbering.copy();
  for (const { stream, first, last } of numbers) numbering.remove(stream, first, last);
  return { ...after, numbering };
};

/** @throws IndexError */
export const deleteWithdrawn = async (engine: Engine, { deleting }: Progress): Promise<void> => {
  if (deleting.length === 0) return;
  await engine.deleteRows(lines, deleting.join(' OR '));
};

const hasKey = "dedup != toFixedString('', 16)";

/** The engine reads statements of up to 256 KiB, and the condition takes some of it. */
const keysPerStatement = 1000;

/** Whether one of these rows has a key under which something was left out. */
const repeatedKeys = async (
  engine: Engine,
  condition: string,
  repeats: readonly Repeat[],
): Promise<boolean> => {
  const keys = repeats.filter(({ first }) => first === 0).map(({ stream }) => inSql(stream));
  for (let at = 0; at < keys.length; at += keysPerStatement) {
    const some = keys.slice(at, at + keysPerStatement).join(', ');
    if ((await rowsMatching(engine, `(${condition}) AND dedup IN (${some})`)) > 0) return true;
  }
  return false;
};

const linesOf = (repeats: readonly Repeat[] | null): number =>
  (repeats ?? []).reduce((sum, { first, last }) => sum + last - first + 1, 0);

const overlaps = (a: Numbers, b: Repeat): boolean =>
  a.stream === b.stream && a.first <= b.last && b.first <= a.last;

/** The numbers of these rows, in ranges; `null` where there are too many to say. */
const numbersOf = async (engine: Engine, condition: string): Promise<Numbers[] | null> => {
  try {
    const rows = await engine.rows(
      'background',
      `SELECT hex(stream) AS name, min(sequence) AS first, max(sequence) AS last FROM (
        SELECT stream, sequence, toInt64(sequence) - toInt64(row_number() OVER (PARTITION BY stream ORDER BY sequence)) AS island
        FROM (SELECT DISTINCT stream, sequence FROM lines WHERE (${condition}) AND stream != '' AND sequence > 0)
      ) GROUP BY stream, island ORDER BY name, first`,
    );
    return rows.map((row) => ({
      stream: Buffer.from(String(row['name']), 'hex').toString('latin1'),
      first: Number(row['first']),
      last: Number(row['last']),
    }));
  } catch (error) {
    if (error instanceof IndexError && error.code === 'engine-limit') return null;
    throw error;
  }
};
