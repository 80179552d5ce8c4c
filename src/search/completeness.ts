import { micros, type Micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import { conflictingNumber, type Index, type IndexState, type Others, type Sender } from '#index';
import type { Answer } from '#wire/search';
import { holesOf } from './holes.ts';
import { ledgerOf } from './ledger.ts';
import { withdrawnIn } from './withdrawn.ts';
import type { Query } from './query/expression.ts';
import { inScope } from './query/scope.ts';
import { timeCondition, type TimeRange } from './time-range.ts';

export type Completeness = Answer['answer']['completeness'];

const mostNames = 8;

/** A loss is put into words up to a minute after it happened. */
const inWordsAfter = 60_000_000;

const withWords = ({ since, until }: Query): TimeRange => ({
  since,
  until: until === null ? null : micros(until + inWordsAfter),
});

/**
 * Whether what was sent is there. Known gaps are what receivers counted as lost or torn, numbers that never came, and
 * entries that are not what was committed. Who was refused because it may not speak leaves no gap. Nothing is known of senders that do not number their lines, nor of what was received
 * after the newest line of the index: a range without an end, or with one later than that, is never complete.
 * @throws IndexError
 */
export const completenessOf = async (index: Index, query: Query, now: Micros): Promise<Completeness> => {
  const state = index.state();
  const others = othersInRange(index, query);
  const scope = [...index.senders.all()].filter((sender) => inScope(query, sender));
  const silent = unnumbered(scope, others);
  const holes = await holesOf(index, query);
  const ledger = await ledgerOf(index, query, withWords(query));
  const gaps = [...ledger.gaps, ...holes.gaps];
  const beside = [
    ...withdrawnIn(state, query),
    ...(holes.more > 0 ? [`${holes.more} more gaps in the numbers of this range are not listed`] : []),
    ...alteredEntries(state),
  ];
  const doubts = [
    ...ledger.doubts,
    ...(await conflicts(index, query)),
    ...(holes.unplaced > 0
      ? [`of ${holes.unplaced} older gaps in numbers it was not looked up whether they are of this range`]
      : []),
  ];
  const behind = notIndexed(state);
  const known = [...gapsInWords(gaps), ...beside];
  const unknown = [
    ...silence(silent),
    ...doubts,
    ...behind,
    ...beyond(query, micros(Math.min(state.heldUntil, now))),
  ];
  const isNumbered = silent.length === 0;
  const numbers = known.length === 0 && isNumbered && others === null ? [numbersSeen(state, scope)] : [];
  const verdict = known.length > 0 ? 'known gaps' : unknown.length > 0 ? 'unknown' : 'complete';
  return {
    verdict,
    detail: [...known, ...numbers, ...unknown, ...readAgain(state)].join('; '),
    ...(verdict === 'unknown' ? { brief: briefly(scope, silent) } : {}),
    notes: [...beside, ...doubts, ...behind, ...standsStill(state), ...readAgain(state)],
    gaps,
  };
};

const briefly = (scope: readonly Sender[], silent: readonly string[]): string => {
  if (silent.length === 0)
    return scope.length === 0 ? 'no sender has such lines' : 'no number missing so far';
  return silent.length === 1 ? '1 sender does not number' : `${silent.length} senders do not number`;
};

const gapsInWords = (gaps: Completeness['gaps']): string[] => [
  ...gaps
    .slice(0, mostNames)
    .map(
      (gap) =>
        `${gap.count ?? 'an unknown number'} lost: ${gap.sender}, ${gap.cause}${gap.listener === undefined ? '' : ` on ${gap.listener}`}`,
    ),
  ...(gaps.length > mostNames ? [`${gaps.length - mostNames} more gaps are listed`] : []),
];

const notIndexed = ({ indexed, committed }: IndexState): string[] => {
  if (indexed >= committed) return [];
  return indexed + 1 === committed
    ? [`entry ${indexed} is not indexed yet`]
    : [`entries ${indexed} to ${committed - 1} are not indexed yet`];
};

const standsStill = ({ trouble }: IndexState): string[] =>
  trouble === null ? [] : [`indexing stands still: ${trouble.message}`];

/** No line is missing by it, but one may be found by another time or name than soon. */
const readAgain = ({ reparsing, indexed }: IndexState): string[] => {
  if (reparsing === null) return [];
  const from = reparsing.from === null ? 'earlier versions of the parser' : `parser ${reparsing.from}`;
  return [
    `lines are found as ${from} read them: parser ${reparsing.to} has read ${reparsing.entry} of ${indexed} entries again`,
  ];
};

const alteredEntries = ({ altered }: IndexState): string[] => {
  if (altered.length === 0) return [];
  const named = altered.slice(0, mostNames).map(({ entry }) => `entry ${entry}`);
  const more = altered.length > mostNames ? ` and ${altered.length - mostNames} more` : '';
  return [
    `lines of ${named.join(', ')}${more} are not in the index: put the altered files back from a copy of the vault, they are tried again each minute`,
  ];
};

const othersInRange = (index: Index, { since, until }: Query): Readonly<Others> | null => {
  const others = index.senders.others();
  if (others === null) return null;
  return (since !== null && others.last < since) || (until !== null && others.first >= until) ? null : others;
};

/** Who does not number what they send, by name. */
const unnumbered = (scope: readonly Sender[], others: Readonly<Others> | null): string[] => {
  const names = new Set(
    scope.filter((sender) => !sender.numbered).map((sender) => `${sender.source} by ${sender.via}`),
  );
  // Sorted: an index that is made again remembers them in another order.
  return [
    ...[...names].toSorted(),
    ...(others === null || others.numbered ? [] : ['senders that are not kept by name']),
  ];
};

const silence = (names: readonly string[]): string[] =>
  names.length === 0
    ? []
    : [`nobody can tell what is missing from senders that do not number their lines: ${listed(names)}`];

/** The last numbers may be missing without a trace: only what comes after a missing one shows it. */
const numbersSeen = ({ numbering }: IndexState, scope: readonly Sender[]): string => {
  const newest = numbering.newest().map(({ stream, last }) => `${last} of ${stream}`);
  return scope.length === 0
    ? 'no sender has a line in this range'
    : `no number is missing up to ${listed(newest)}; whether anything was sent after that cannot be seen`;
};

/** What is accepted by the receiver and not committed yet is not in the vault, so it cannot be counted. */
const beyond = ({ until }: Query, heldUntil: Micros): string[] => {
  if (until !== null && until <= heldUntil) return [];
  return heldUntil === 0
    ? ['nothing was received yet that this could be judged by']
    : [
        `this holds for what was received up to ${formatMicros(heldUntil)}: later lines may be on their way into the vault`,
      ];
};

const listed = (names: readonly string[]): string =>
  names.length <= mostNames
    ? names.join(', ')
    : `${names.slice(0, mostNames).join(', ')} and ${names.length - mostNames} more`;

/** Lines under a number that another line had: somebody sends in another's name, or a sender lost count. */
const conflicts = async (index: Index, query: Query): Promise<string[]> => {
  if (index.state().conflicts === 0) return [];
  const rows = await index.engine.rows(
    'interactive',
    `SELECT stream, count() AS n FROM lines
    WHERE bitAnd(flags, ${conflictingNumber}) != 0 AND entry < ${index.state().indexed} AND ${timeCondition(query)}
    GROUP BY stream ORDER BY n DESC LIMIT ${mostNames}`,
  );
  return rows.map((row) =>
    String(row['stream']) === ''
      ? `${String(row['n'])} lines came under keys or journal cursors that other lines had: all are shown (conflicting_key=*)`
      : `${String(row['n'])} lines came under numbers of ${String(row['stream'])} that other lines had: all are shown (conflicting_number=*), and what is missing of that sender cannot be told`,
  );
};
