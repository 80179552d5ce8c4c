import { micros } from '#base/clock';
import type { Engine } from './engine/engine.ts';
import { IndexError } from './errors.ts';
import { mostSenders, Senders, type Others } from './senders.ts';

const columns = 'app, host, source, via, listener';
const whole = `${columns}, stream != '' AS numbered`;
const key = `cityHash64(${columns}, stream != '')`;
const tally = `count() AS lines, toUnixTimestamp64Micro(min(time)) AS first, toUnixTimestamp64Micro(max(time)) AS last`;

/** Grouping goes to disk before it fills the engine's memory: there may be as many senders as lines. */
const spill = 'max_bytes_before_external_group_by = 134217728, max_bytes_ratio_before_external_group_by = 0';

const tooManyRows = 158;

/**
 * Those who have lines in the index: all of them, or the `most` with the most lines and the rest together.
 * @param where which rows are looked at
 * @throws IndexError
 */
export const loadSenders = async (
  engine: Engine,
  most: number = mostSenders,
  where = 'true',
): Promise<Senders> => {
  const senders = new Senders(most);
  try {
    const rows = await engine.rows(
      'background',
      `SELECT ${whole}, ${tally} FROM lines WHERE ${where} GROUP BY ${columns}, numbered
      SETTINGS max_rows_to_group_by = ${most}, group_by_overflow_mode = 'throw'`,
    );
    putAll(senders, rows);
  } catch (error) {
    if (!(error instanceof IndexError) || error.engineCode !== tooManyRows) throw error;
    await loadMost(engine, senders, most, where);
  }
  return senders;
};

const loadMost = async (engine: Engine, senders: Senders, most: number, where: string): Promise<void> => {
  const found = await engine.rows(
    'background',
    `SELECT toString(k) AS text FROM (
      SELECT ${key} AS k FROM lines WHERE ${where} GROUP BY k ORDER BY count() DESC LIMIT ${most}
    ) SETTINGS ${spill}`,
  );
  const keys = found.map((row) => String(row['text']));
  const among = `${key} IN (${keys.join(',')})`;
  const settings = 'SETTINGS max_query_size = 16777216';
  putAll(
    senders,
    await engine.rows(
      'background',
      `SELECT ${whole}, ${tally} FROM lines WHERE ${where} AND ${among} GROUP BY ${columns}, numbered ${settings}`,
    ),
  );
  const [rest] = await engine.rows(
    'background',
    `SELECT ${tally}, countIf(stream = '') = 0 AS numbered FROM lines WHERE ${where} AND NOT (${among}) ${settings}`,
  );
  if (rest !== undefined) senders.putOthers(othersOf(rest));
};

const putAll = (senders: Senders, rows: readonly Record<string, unknown>[]): void => {
  for (const row of rows) {
    senders.put({
      app: String(row['app']),
      host: String(row['host']),
      source: String(row['source']),
      via: String(row['via']),
      listener: String(row['listener']),
      ...othersOf(row),
    });
  }
};

const othersOf = (row: Record<string, unknown>): Others => ({
  numbered: Number(row['numbered']) === 1,
  lines: Number(row['lines']),
  first: micros(Number(row['first'])),
  last: micros(Number(row['last'])),
});

/** About how many senders there are, kept by name or not. @throws IndexError */
export const countSenders = async (engine: Engine): Promise<number> => {
  const [row] = await engine.rows('interactive', `SELECT uniqCombined64(${key}) AS n FROM lines`);
  return Number(row?.['n'] ?? 0);
};
