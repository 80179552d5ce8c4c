import { micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import { IndexError, type Index, type LedgerVersion } from '#index';
import { causesMissing } from '#wire/ledger';
import type { Answer } from '#wire/search';
import type { Query } from './query/expression.ts';
import { couldBeFrom } from './query/scope.ts';
import { isWithin, timeCondition, type TimeRange } from './time-range.ts';

type Gap = Answer['answer']['completeness']['gaps'][number];

export type Ledger = {
  gaps: Gap[];
  /** What may have cost a line, and nobody can tell. */
  doubts: string[];
};

const mostGaps = 100;
const mostDoubts = 8;

const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');

/** Of what the receiver alone may say: with another's lines of that kind anybody could cast doubt. */
const isReceiver = `listener = 'receiver'`;
const isGap = `(fields['kind'] = 'loss' OR (${isReceiver} AND fields['cause'] IN (${quoted(causesMissing('yes'))})))`;
const isDoubt = `(${isReceiver} AND fields['kind'] != 'loss' AND fields['cause'] IN (${quoted(causesMissing('maybe'))}))`;

/** What one sender lost at one place for one reason, in one line of the log or several. */
type Said = {
  sender: string;
  place: string;
  cause: string;
  gone: boolean;
  count: number;
  /** When it was said, microseconds. */
  first: number;
  last: number;
  /** When it happened, as the lines say; `''`: one of them does not. */
  since: string;
  until: string;
};

/**
 * What receivers and agents have said of what they lost, and receivers of what came in part or was not taken, in a
 * range of time. Senders that may not speak, and those that were told, leave no gap.
 * @param range of the lines that say so
 * @throws IndexError
 */
export const ledgerOf = async (index: Index, query: Query, range: TimeRange): Promise<Ledger> => {
  const isAny = index.senders.others() !== null || [...index.senders.all()].some(({ via }) => via === 'self');
  if (!isAny) return { gaps: [], doubts: [] };
  const all = await allSaid(index);
  const said =
    all === 'many'
      ? await look(index, `entry < ${index.state().indexed} AND ${timeCondition(range)}`, 'together')
      : all.filter(({ first }) => isWithin(range, first));
  const counted = together(said)
    .map(({ sender, place, cause, gone, ...of }) => ({
      sender,
      listener: place,
      cause,
      count: of.count || null,
      from: of.since || formatMicros(micros(of.first)),
      until: of.until || formatMicros(micros(of.last)),
      gone,
    }))
    .filter(({ sender }) => sender === '' || couldBeFrom(query, sender));
  const gaps = counted.filter(({ gone }) => gone);
  const doubts = counted.filter(({ gone }) => !gone);
  return {
    gaps: gaps
      .slice(0, mostGaps)
      .map(({ gone: _, sender, listener, ...gap }) =>
        sender === '' ? { sender: listener, ...gap } : { sender, listener, ...gap },
      ),
    doubts: [
      ...doubts
        .slice(0, mostDoubts)
        .map(
          ({ sender, listener, cause, count }) =>
            `whether a line is missing cannot be told: ${cause}, ${count ?? 'an unknown number of'} times, ${sender === '' ? 'of senders that are not named' : `of ${sender}`} on ${listener}`,
        ),
      ...(doubts.length > mostDoubts
        ? [`${doubts.length - mostDoubts} more such doubts are not listed`]
        : []),
    ],
  };
};

/** Everything that was said up to an entry, line by line; `many`: more than is kept. */
type Known = { version: LedgerVersion; below: number; said: readonly Said[] | 'many' };

/** A search in a log without news of this kind asks for nothing. */
const known = new WeakMap<Index, Known>();
/** Where there are more, each search asks for those of its range. */
const mostKept = 10_000;

/** The look that is under way, for which searches at the same time wait. */
const looking = new WeakMap<Index, Promise<unknown>>();

/** @returns `many` also where nobody can say whether what is known is still so */
const allSaid = (index: Index): Promise<readonly Said[] | 'many'> => {
  const said = (looking.get(index) ?? Promise.resolve()).then(() => lookForAll(index));
  looking.set(
    index,
    said.catch(() => undefined),
  );
  return said;
};

const lookForAll = async (index: Index): Promise<readonly Said[] | 'many'> => {
  const version = index.ledger();
  if (version === null) return 'many';
  const { indexed } = index.state();
  const found = known.get(index);
  const before = found?.version.rows === version.rows && found.below <= indexed ? found : null;
  if (before?.said === 'many' || before?.version.added === version.added) return before.said;
  // Where that is too much for the engine, it is too much to keep.
  const added = await look(index, `entry >= ${before?.below ?? 0} AND entry < ${indexed}`, 'apart').catch(
    (error: unknown) => {
      if (error instanceof IndexError && error.code === 'engine-limit') return 'many' as const;
      throw error;
    },
  );
  const all = added === 'many' ? added : [...(before?.said ?? []), ...added];
  const said = all.length > mostKept ? 'many' : all;
  if (index.ledger()?.rows === version.rows) known.set(index, { version, below: indexed, said });
  return said;
};

/**
 * @param where a condition on the lines that say so
 * @param lines `apart`: one by one, and no more than tell that there are too many
 * @throws IndexError
 */
const look = async (index: Index, where: string, lines: 'apart' | 'together'): Promise<Said[]> => {
  const count = `toUInt64OrZero(fields['count'])`;
  const microsOf = (time: string): string => `toUnixTimestamp64Micro(${time})`;
  const columns =
    lines === 'apart'
      ? `${count} AS n, ${microsOf('time')} AS first, first AS last, fields['since'] AS since, fields['until'] AS until`
      : `sum(${count}) AS n, ${microsOf('min(time)')} AS first, ${microsOf('max(time)')} AS last,
        min(fields['since']) AS since, max(fields['until']) AS until`;
  const rows = await index.engine.rows(
    'interactive',
    `SELECT if(${isReceiver}, fields['sender'], '') AS sender,
      if(${isReceiver} AND fields['listener'] != '', fields['listener'], if(tls_name != '', tls_name, source)) AS place,
      fields['cause'] AS cause, ${isGap} AS gone, ${columns}
    FROM lines
    PREWHERE app = 'holdfast' AND via = 'self'
    WHERE (${isGap} OR ${isDoubt}) AND ${where}
    ${lines === 'apart' ? '' : 'GROUP BY sender, place, cause, gone ORDER BY n DESC'} LIMIT ${mostKept + 1}`,
  );
  return rows.map((row) => ({
    sender: String(row['sender']),
    place: String(row['place']),
    cause: String(row['cause']),
    gone: Number(row['gone']) === 1,
    count: Number(row['n']),
    first: Number(row['first']),
    last: Number(row['last']),
    since: String(row['since']),
    until: String(row['until']),
  }));
};

/** One for each sender, place and cause; those with the highest count first. */
const together = (said: readonly Said[]): Said[] => {
  const all = new Map<string, Said>();
  for (const one of said) {
    const key = [one.sender, one.place, one.cause, one.gone].join('\u0000');
    const sum = all.get(key);
    if (sum === undefined) {
      all.set(key, { ...one });
      continue;
    }
    sum.count += one.count;
    sum.first = Math.min(sum.first, one.first);
    sum.last = Math.max(sum.last, one.last);
    if (one.since < sum.since) sum.since = one.since;
    if (one.until > sum.until) sum.until = one.until;
  }
  return [...all.values()].toSorted((a, b) => b.count - a.count);
};
