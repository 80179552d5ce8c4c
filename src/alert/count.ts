import { micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { AlertEvent, Watch } from '#wire/alert';
import { keySql, parseKey, valuesOf } from './keys.ts';
import { samplesOf, select, within, µs, type Look, type Outcome } from './look.ts';
import { lengthInWords, linesInWords } from './words.ts';

/** The engine takes no longer way back from a row: beyond it times are told apart by some µs alone. */
const farthest = 2 ** 31 - 1;

/** Beyond so many keys in one look the rest is not told apart. */
const mostKeys = 1000;
/** Beyond so many stretches of time that late lines fall into, all between the first and the last is counted again. */
const mostBuckets = 1000;
const mostSampled = 20;

/**
 * Whether some window of `within` seconds, by the lines' own time, holds `lines` of them, at least one of which is new in
 * this look. The lines of the window are asked of the index, where each is once: one that comes late counts in the window
 * that it belongs to, and nothing has to be remembered over a restart.
 */
export const lookForCount = async (look: Look, watch: Extract<Watch, { for: 'count' }>): Promise<Outcome> => {
  const { rule, store } = look;
  const window = Math.round(watch.within * 1_000_000);
  const firing = new Map(
    store
      .rows('SELECT key, episode, since, last, lines, text FROM firing WHERE rule = ?', rule.name)
      .map((row) => [String(row['key']), row]),
  );
  const added = await newLines(look, watch, firing);
  const full = added.size === 0 ? [] : await fullWindows(look, watch, window);
  const events: AlertEvent[] = [];
  const steps: (() => void)[] = [];
  const last = new Map<string, number>();

  for (const { key, count, from, at, heard } of full) {
    const text = JSON.stringify(key);
    last.set(text, heard);
    if (firing.has(text)) continue;
    const episode = look.newEpisode();
    const words = `${linesInWords(count)} within ${lengthInWords(watch.within)}`;
    events.push({
      episode,
      state: 'firing',
      of: valuesOf(watch.by, key),
      text: words,
      lines: count,
      since: formatMicros(micros(from)),
      until: formatMicros(micros(at)),
      samples:
        events.length < mostSampled
          ? await samplesOf(look, watch.by, key, { since: from, until: at, most: 5 })
          : [],
    });
    steps.push(() =>
      store.run(
        'INSERT INTO firing VALUES (?, ?, ?, ?, ?, ?, ?)',
        rule.name,
        text,
        episode,
        from,
        heard,
        count,
        words,
      ),
    );
  }
  for (const [text, row] of firing) {
    const lines = Number(row['lines']) + (added.get(text) ?? 0);
    const newest = Math.max(Number(row['last']), last.get(text) ?? 0);
    if (look.heldUntil !== null && look.heldUntil > newest + window) {
      events.push(recovery(watch, row, lines, look.heldUntil));
      steps.push(() => store.run('DELETE FROM firing WHERE rule = ? AND key = ?', rule.name, text));
    } else if (added.has(text))
      steps.push(() =>
        store.run(
          'UPDATE firing SET lines = ?, last = ? WHERE rule = ? AND key = ?',
          lines,
          newest,
          rule.name,
          text,
        ),
      );
  }
  return { events, keep: () => steps.forEach((step) => step()) };
};

const recovery = (
  watch: Extract<Watch, { for: 'count' }>,
  row: Record<string, unknown>,
  lines: number,
  now: number,
): AlertEvent => ({
  episode: String(row['episode']),
  state: 'recovered',
  of: valuesOf(watch.by, parseKey(row['key'])),
  text: `fewer than ${linesInWords(watch.lines)} within ${lengthInWords(watch.within)} again; ${linesInWords(lines)} in all`,
  lines,
  since: formatMicros(micros(Number(row['since']))),
  until: formatMicros(micros(now)),
  samples: [],
});

/** How many lines came, by key; with very many keys, of those that are firing in any case. */
const newLines = async (
  look: Look,
  { by }: { by: readonly string[] },
  firing: ReadonlyMap<string, unknown>,
): Promise<Map<string, number>> => {
  const key = keySql(by);
  const rows = await select(
    look,
    `SELECT ${key.sql} AS key, count() AS n FROM lines WHERE ${within(look)} AND ${look.condition.where}
      GROUP BY key ORDER BY n DESC LIMIT ${mostKeys + firing.size}`,
    key.parameters,
  );
  return new Map(rows.map((row) => [JSON.stringify(parseKey(row['key'])), Number(row['n'])]));
};

type FullWindow = {
  key: readonly string[];
  count: number;
  /** When its first line was, and its last. */
  from: number;
  at: number;
  /** When the newest of its lines was received. */
  heard: number;
};

const fullWindows = async (
  look: Look,
  watch: Extract<Watch, { for: 'count' }>,
  window: number,
): Promise<FullWindow[]> => {
  const key = keySql(watch.by);
  const matching = look.condition.where;
  const slice = `${within(look)} AND ${matching}`;
  const buckets = await select(
    look,
    `SELECT DISTINCT intDiv(${µs('time')}, ${window}) AS bucket FROM lines WHERE ${slice}
      ORDER BY bucket LIMIT ${mostBuckets + 1}`,
  );
  const numbers = buckets.map(({ bucket }) => Number(bucket));
  const [first] = numbers;
  const end = numbers.at(-1);
  if (first === undefined || end === undefined) return [];
  const near = new Set(numbers.flatMap((bucket) => [bucket - 1, bucket, bucket + 1]));
  const times =
    numbers.length > mostBuckets
      ? `time >= fromUnixTimestamp64Micro(${(first - 1) * window})`
      : `time >= fromUnixTimestamp64Micro(${(first - 1) * window}) AND time < fromUnixTimestamp64Micro(${(end + 2) * window})
        AND intDiv(${µs('time')}, ${window}) IN (${[...near].join(', ')})`;
  const unit = Math.ceil(window / farthest);
  const rows = await select(
    look,
    `SELECT key, max(n) AS most, argMax(at, n) AS ends, argMax(began, n) AS begins, max(heard) AS newest_heard FROM (
      SELECT key, at, count() OVER w AS n, min(at) OVER w AS began, max(entry) OVER w AS newest, max(heard) OVER w AS heard FROM (
        SELECT ${key.sql} AS key, ${µs('time')} AS at, ${µs('received')} AS heard, entry FROM lines
        WHERE entry < ${look.to} AND ${times} AND ${matching}
          AND key IN (SELECT ${key.sql} FROM lines WHERE ${slice})
      ) WINDOW w AS (PARTITION BY key ORDER BY intDiv(at, ${unit}) RANGE BETWEEN ${Math.floor((window - 1) / unit)} PRECEDING AND CURRENT ROW)
    ) WHERE n >= ${watch.lines} AND newest >= ${look.from} GROUP BY key ORDER BY most DESC LIMIT ${mostKeys}`,
    key.parameters,
  );
  return rows.map((row) => ({
    key: parseKey(row['key']),
    count: Number(row['most']),
    from: Number(row['begins']),
    at: Number(row['ends']),
    heard: Number(row['newest_heard']),
  }));
};
