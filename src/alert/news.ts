import { hash } from 'node:crypto';
import { micros } from '#base/clock';
import { printable } from '#base/printable';
import { formatMicros } from '#base/rfc3339';
import { messageTemplate } from '#index';
import { formSql, SearchError } from '#search';
import type { AlertEvent, Sample, Watch } from '#wire/alert';
import { keySql, parseKey, valuesOf, type Key } from './keys.ts';
import { samplesOf, select, within, µs, type Look, type Outcome } from './look.ts';
import { linesInWords } from './words.ts';

type NewWatch = Extract<Watch, { for: 'new' }>;

/** Different values, or templates, that are known of one rule at most. */
const mostKnown = 200_000;
/** Events of one look; more are told of together. */
const mostEvents = 100;
const mostSampled = 20;
const mostAtOnce = 50_000;

/** Something that lines of a look have, known or not. Times are µs. */
type Seen = {
  /** What it is known by. */
  value: string;
  of: Record<string, string>;
  words: string;
  lines: number;
  /** When the first of the lines was received; `first` and `last` are the lines' own times. */
  heard: number;
  first: number;
  last: number;
  samples(): Promise<Sample[]>;
};

/** In the order of their first entries; all that entries below `to` have. */
type SeenUpTo = { seen: Seen[]; to: number };

/**
 * What was not seen before by this rule. While it learns, all is taken as known: from the first matching line on, for as
 * long as the rule says.
 */
export const lookForNews = async (look: Look, watch: NewWatch): Promise<Outcome> => {
  const { rule, store } = look;
  const { seen, to } = await seenIn(look, watch);
  const fresh = seen.filter(
    ({ value }) =>
      store.rows('SELECT 1 AS n FROM known WHERE rule = ? AND value = ?', rule.name, value).length === 0,
  );
  const [about] = store.rows('SELECT first FROM rule WHERE name = ?', rule.name);
  const before = about?.['first'] ?? null;
  const first = before === null ? Math.min(...seen.map(({ heard }) => heard)) : Number(before);
  const learned = first + watch.learn * 1_000_000;
  return {
    to,
    events: await eventsOf(
      look,
      watch,
      fresh.filter(({ heard }) => heard >= learned),
    ),
    keep() {
      if (before === null && seen.length > 0)
        store.run('UPDATE rule SET first = ? WHERE name = ?', first, rule.name);
      for (const { value } of fresh) store.run('INSERT OR IGNORE INTO known VALUES (?, ?)', rule.name, value);
      if (fresh.length > 0) assertFewKnown(look);
    },
  };
};

/** What is in the index already is known. @throws IndexError */
export const learnNews = async (look: Look, watch: NewWatch): Promise<() => void> => {
  const { rule, store } = look;
  const known = new Map<string, number>();
  for (let from = look.from; from < look.to;) {
    const { seen, to } = await seenIn({ ...look, from }, watch);
    for (const { value, heard } of seen) known.set(value, Math.min(heard, known.get(value) ?? heard));
    if (known.size > mostKnown) throw tooManyKnown();
    from = to;
  }
  return () => {
    for (const [value, heard] of known) {
      store.run('UPDATE rule SET first = min(ifnull(first, ?), ?) WHERE name = ?', heard, heard, rule.name);
      store.run('INSERT OR IGNORE INTO known VALUES (?, ?)', rule.name, value);
    }
    assertFewKnown(look);
  };
};

/** @throws SearchError where a rule would have to know more than can be kept */
const assertFewKnown = ({ store, rule }: Look): void => {
  const [row] = store.rows('SELECT count(*) AS n FROM known WHERE rule = ?', rule.name);
  if (Number(row?.['n']) > mostKnown) throw tooManyKnown();
};

const tooManyKnown = (): SearchError =>
  new SearchError(
    'bad-query',
    `there are more than ${mostKnown} different values: whatever came next would be one more. Narrow the query, or choose another field`,
  );

const eventsOf = async (look: Look, watch: NewWatch, fresh: readonly Seen[]): Promise<AlertEvent[]> => {
  const events: AlertEvent[] = [];
  for (const one of fresh.slice(0, mostEvents))
    events.push({
      episode: look.newEpisode(),
      state: 'seen',
      of: one.of,
      text: `${one.words}; ${linesInWords(one.lines)} so far`,
      lines: one.lines,
      since: formatMicros(micros(one.first)),
      until: formatMicros(micros(one.last)),
      samples: events.length < mostSampled ? await one.samples() : [],
    });
  const rest = fresh.slice(mostEvents);
  const [next] = rest;
  if (next !== undefined)
    events.push({
      episode: look.newEpisode(),
      state: 'seen',
      of: {},
      text: `${rest.length} more new values of ${watch.field} at the same moment`,
      lines: null,
      since: formatMicros(micros(next.first)),
      until: formatMicros(micros(next.last)),
      samples: [],
    });
  return events;
};

const seenIn = (look: Look, watch: NewWatch): Promise<SeenUpTo> =>
  watch.field === 'pattern' ? patternsIn(look, watch) : valuesIn(look, watch);

const valuesIn = async (look: Look, { field, by }: NewWatch): Promise<SeenUpTo> => {
  const names = [...by.filter((name) => name !== field), field];
  const key = keySql(names);
  const rows = await select(
    look,
    `SELECT ${key.sql} AS key, count() AS n, min(${µs('received')}) AS heard,
        min(${µs('time')}) AS first, max(${µs('time')}) AS last, min(entry) AS earliest
      FROM lines WHERE ${within(look)} AND ${look.condition.where} AND key[-1] != ''
      GROUP BY key ORDER BY min((entry, line)) LIMIT ${mostAtOnce}`,
    key.parameters,
  );
  const seen = rows.map((row): Seen => {
    const values = parseKey(row['key']);
    const [first, last] = [Number(row['first']), Number(row['last'])];
    const together = by.map((name, at) => `${name} ${printable(values[at] ?? '') || '(none)'}`).join(', ');
    return {
      value: JSON.stringify(values),
      of: valuesOf(names, values),
      words: `${field} ${JSON.stringify(printable(values.at(-1) ?? ''))} was not seen before${together === '' ? '' : ` with ${together}`}`,
      lines: Number(row['n']),
      heard: Number(row['heard']),
      first,
      last,
      samples: () => samplesOf(look, names, values, { since: first, until: last, most: 3 }),
    };
  });
  return { seen, to: lookedUpTo(look, rows) };
};

/** Where there were more than are taken at once, the rest is for the next look. */
const lookedUpTo = (look: Look, rows: readonly Record<string, unknown>[]): number => {
  const last = Number(rows.at(-1)?.['earliest'] ?? look.to);
  return rows.length < mostAtOnce ? look.to : Math.max(last, look.from + 1);
};

/** Messages are folded in the engine already, so that a template is made of few of many like ones. */
const patternsIn = async (look: Look, { by }: NewWatch): Promise<SeenUpTo> => {
  const names = [...by.filter((name) => name !== 'app'), 'app'];
  const key = keySql(names);
  const rows = await select(
    look,
    `SELECT ${key.sql} AS key, cityHash64(${formSql}) AS form,
        argMin(substring(message, 1, 2048), (entry, line)) AS example, count() AS n, min(${µs('received')}) AS heard,
        min(${µs('time')}) AS first, max(${µs('time')}) AS last, min(entry) AS earliest, argMin(line, (entry, line)) AS place
      FROM lines WHERE ${within(look)} AND ${look.condition.where}
      GROUP BY key, form ORDER BY min((entry, line)) LIMIT ${mostAtOnce}`,
    key.parameters,
  );
  const templates = new Map<string, Seen>();
  for (const row of rows) {
    const values = parseKey(row['key']);
    const template = messageTemplate(String(row['example']));
    const value = `${JSON.stringify(values)} ${hash('sha256', template).slice(0, 24)}`;
    const [first, last, lines] = [Number(row['first']), Number(row['last']), Number(row['n'])];
    const heard = Number(row['heard']);
    const known = templates.get(value);
    if (known === undefined)
      templates.set(value, {
        value,
        of: valuesOf(names, values),
        words: `a message of a form not seen before: ${printable(template)}`,
        lines,
        heard,
        first,
        last,
        samples: () =>
          lineOf(look, { entry: Number(row['earliest']), line: Number(row['place']) }, names, values),
      });
    else
      templates.set(value, {
        ...known,
        lines: known.lines + lines,
        heard: Math.min(known.heard, heard),
        first: Math.min(known.first, first),
        last: Math.max(known.last, last),
      });
  }
  return { seen: [...templates.values()], to: lookedUpTo(look, rows) };
};

const lineOf = (
  look: Look,
  { entry, line }: { entry: number; line: number },
  names: readonly string[],
  key: Key,
): Promise<Sample[]> => {
  const { where, parameters } = look.condition;
  const one = { where: `entry = ${entry} AND line = ${line} AND ${where}`, parameters };
  const whenever = { since: 0, until: 4_000_000_000_000_000, most: 1 };
  return samplesOf({ ...look, condition: one }, names, key, whenever);
};
