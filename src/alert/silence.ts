import { micros, type Micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { AlertEvent, Watch } from '#wire/alert';
import { AlertError } from './errors.ts';
import { keySql, parseKey, valuesOf } from './keys.ts';
import { samplesOf, select, within, µs, type Look, type Outcome } from './look.ts';
import { lengthInWords, rateInWords } from './words.ts';

type SilenceWatch = Extract<Watch, { for: 'silence' }>;

const second = 1_000_000;
const hour = 3600 * second;
const day = 24 * hour;
/** What is usual is what was so in the last days, the current one included. */
const usualDays = 7;
/** A learned limit is never shorter. */
const leastLearned = 5 * 60 * second;
const timesLongest = 2;
/** Told apart at once. */
const mostKeys = 20_000;
const mostSampled = 20;

/** A key that was heard: when, how often, and how long it paused at most. Times in µs. */
type Heard = { key: string; first: number; last: number; lines: number; longest: number; days: number };

/**
 * Who used to speak and does not any more, by receive time, up to what has been looked at.
 * @param watchingSince before this nobody could have been heard: it is no silence of theirs
 */
export const lookForSilence = async (
  look: Look,
  watch: SilenceWatch,
  watchingSince: Micros,
): Promise<Outcome> => {
  const { rule, store, heldUntil } = look;
  const steps: (() => void)[] = [];
  const events: AlertEvent[] = [];
  const firing = new Map(
    store
      .rows('SELECT key, episode, since FROM firing WHERE rule = ?', rule.name)
      .map((row) => [String(row['key']), row]),
  );
  const spoke = await spokeIn(look, watch.by, within(look));
  if (spoke.length > mostKeys)
    throw new AlertError(
      'too-many',
      `more than ${mostKeys} values of ${watch.by.join(' and ')} spoke at once, and of the rest it is not known whether they are silent. Narrow the query, or choose another field`,
    );
  for (const one of spoke) {
    const [before] = store.rows('SELECT last FROM heard WHERE rule = ? AND key = ?', rule.name, one.key);
    const last = before === undefined ? null : Number(before['last']);
    // Time in which nobody could be heard, and a silence that was told of, say nothing of what is usual.
    const pause =
      last === null || firing.has(one.key) || last < watchingSince ? 0 : Math.max(0, one.first - last);
    steps.push(() => keepHeard(look, { ...one, longest: Math.max(one.longest, pause) }));
    const silent = firing.get(one.key);
    if (silent === undefined) continue;
    const since = Number(silent['since']);
    events.push({
      episode: String(silent['episode']),
      state: 'recovered',
      of: valuesOf(watch.by, parseKey(one.key)),
      text: `speaks again after ${lengthInWords((one.first - since) / second)}`,
      lines: one.lines,
      since: formatMicros(micros(since)),
      until: formatMicros(micros(one.first)),
      samples: await samplesOf(look, watch.by, parseKey(one.key), recent(one.last)),
    });
    steps.push(() => store.run('DELETE FROM firing WHERE rule = ? AND key = ?', rule.name, one.key));
  }
  if (heldUntil !== null) {
    const speaking = new Set(spoke.map(({ key }) => key));
    for (const one of heardBy(look, heldUntil)) {
      if (speaking.has(one.key)) continue;
      const silence = heldUntil - Math.max(one.last, watchingSince);
      const limit = limitOf(watch, one);
      if (heldUntil - one.last > Math.max(usualDays * day, 4 * (limit ?? 0))) {
        const silent = firing.get(one.key);
        if (silent !== undefined) events.push(forgotten(watch, one, String(silent['episode']), heldUntil));
        steps.push(() => forget(look, one.key));
      } else if (
        limit !== null &&
        silence > limit &&
        !firing.has(one.key) &&
        one.last - one.first >= watch.learn * second
      ) {
        const { key } = one;
        const episode = look.newEpisode();
        const text = `nothing for ${lengthInWords((heldUntil - one.last) / second)}; usually ${usual(one, heldUntil)}`;
        events.push({
          episode,
          state: 'firing',
          of: valuesOf(watch.by, parseKey(key)),
          text,
          lines: null,
          since: formatMicros(micros(one.last)),
          until: formatMicros(heldUntil),
          samples:
            events.length < mostSampled
              ? await samplesOf(look, watch.by, parseKey(key), recent(one.last))
              : [],
        });
        steps.push(() =>
          store.run(
            'INSERT INTO firing VALUES (?, ?, ?, ?, ?, 0, ?)',
            rule.name,
            key,
            episode,
            one.last,
            one.last,
            text,
          ),
        );
      }
    }
  }
  return { events, keep: () => steps.forEach((step) => step()) };
};

/** Who has spoken in the last days, and how they paused; to the minute. @throws IndexError */
export const learnSilence = async (look: Look, { by }: SilenceWatch, now: Micros): Promise<() => void> => {
  const spoke = await spokeIn(
    look,
    by,
    `entry < ${look.to} AND received >= fromUnixTimestamp64Micro(${now - usualDays * day})`,
    60,
  );
  return () => spoke.slice(0, mostKeys).forEach((one) => keepHeard(look, one));
};

/** µs; `null` where too little is known to say what is usual. */
const limitOf = ({ after }: SilenceWatch, { lines, longest }: Heard): number | null => {
  if (after !== null) return after * second;
  return lines < 20 || longest === 0 ? null : Math.max(leastLearned, timesLongest * longest);
};

const usual = ({ lines, first, last, longest, days }: Heard, now: number): string => {
  const span = Math.max(Math.min(last - first, days * day), 60 * second);
  const rate = rateInWords((lines / span) * hour);
  const pauses = longest === 0 ? '' : `, and never longer apart than ${lengthInWords(longest / second)}`;
  return `${rate}${pauses}, in the ${lengthInWords(Math.min(now - first, usualDays * day) / second)} before`;
};

const forgotten = (watch: SilenceWatch, one: Heard, episode: string, now: Micros): AlertEvent => ({
  episode,
  state: 'recovered',
  of: valuesOf(watch.by, parseKey(one.key)),
  text: `not expected any more: silent for ${lengthInWords((now - one.last) / second)}`,
  lines: null,
  since: formatMicros(micros(one.last)),
  until: formatMicros(now),
  samples: [],
});

const recent = (last: number): { since: number; until: number; most: number } => ({
  since: last - 2 * day,
  until: last + 2 * day,
  most: 3,
});

const spokeIn = async (
  look: Look,
  by: readonly string[],
  where: string,
  resolution = 1,
): Promise<Omit<Heard, 'days'>[]> => {
  const key = keySql(by);
  const unit = resolution * second;
  const rows = await select(
    look,
    `SELECT ${key.sql} AS key, count() AS n, min(${µs('received')}) AS first, max(${µs('received')}) AS last,
        arrayMax(arrayDifference(arraySort(groupUniqArray(intDiv(${µs('received')}, ${unit}))))) AS pause
      FROM lines WHERE ${where} AND ${look.condition.where} AND arrayExists(part -> part != '', key)
      GROUP BY key ORDER BY n DESC LIMIT ${mostKeys + 1}`,
    key.parameters,
  );
  return rows.map((row) => ({
    key: JSON.stringify(parseKey(row['key'])),
    first: Number(row['first']),
    last: Number(row['last']),
    lines: Number(row['n']),
    longest: Number(row['pause']) * unit,
  }));
};

const keepHeard = (
  { rule, store }: Look,
  { key, first, last, lines, longest }: Omit<Heard, 'days'>,
): void => {
  store.run(
    `INSERT INTO heard VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last)`,
    rule.name,
    key,
    first,
    last,
  );
  store.run(
    `INSERT INTO pauses VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET lines = lines + excluded.lines, longest = max(longest, excluded.longest)`,
    rule.name,
    key,
    Math.floor(last / day),
    lines,
    longest,
  );
};

const heardBy = ({ rule, store }: Look, now: Micros): Heard[] => {
  const today = Math.floor(now / day);
  return store
    .rows(
      `SELECT heard.key, first, last, total(lines) AS lines, max(ifnull(longest, 0)) AS longest, count(day) AS days
        FROM heard LEFT JOIN pauses ON pauses.rule = heard.rule AND pauses.key = heard.key AND day > ?
        WHERE heard.rule = ? GROUP BY heard.key`,
      today - usualDays - 1,
      rule.name,
    )
    .map((row) => ({
      key: String(row['key']),
      first: Number(row['first']),
      last: Number(row['last']),
      lines: Number(row['lines']),
      longest: Number(row['longest']),
      days: Number(row['days']),
    }));
};

const forget = ({ rule, store }: Look, key: string): void => {
  for (const table of ['heard', 'pauses', 'firing'])
    store.run(`DELETE FROM ${table} WHERE rule = ? AND key = ?`, rule.name, key);
};
