import { micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { Hole, Index, IndexState } from '#index';
import type { Answer } from '#wire/search';
import type { Query } from './query/expression.ts';
import { inScope } from './query/scope.ts';

type Integrity = Answer['answer']['integrity'];
type Completeness = Answer['answer']['completeness'];
type Gap = Completeness['gaps'][number];

/** Whether what was searched is what was committed. */
export const integrityOf = (state: IndexState): Integrity => {
  const { indexed, committed, altered, trouble } = state;
  const still = [
    ...(indexed < committed
      ? [`${plural(committed - indexed, 'entry', 'entries')} still to be taken in`]
      : []),
    ...(trouble === null ? [] : [`indexing stands still: ${trouble.message}`]),
  ];
  const say = (verdict: Integrity['verdict'], detail: string): Integrity => ({
    verdict,
    detail: [detail, ...still].join('; '),
    indexed,
    committed,
  });
  if (altered.length > 0) {
    const named = altered
      .slice(0, 20)
      .map(({ entry, reason }) => `entry ${entry} is not what was committed (${reason})`);
    const more = altered.length > 20 ? [`${altered.length - 20} more`] : [];
    return say('altered', [...named, ...more].join('; '));
  }
  if (trouble?.with === 'vault altered')
    return say('altered', 'what the vault publishes is not what was signed');
  if (trouble?.with === 'vault')
    return say('unknown', 'the vault cannot be read, so nothing can be checked against it');
  if (committed === 0)
    return say('unknown', 'the vault has no checkpoint yet, so there is nothing to check against');
  if (committed < indexed)
    return say(
      'altered',
      `the vault was cut back: it has ${plural(committed, 'entry', 'entries')}, the index had taken in ${indexed}`,
    );
  return say(
    'unaltered',
    `every one of the ${plural(indexed, 'entry', 'entries')} searched matched its checkpointed hash when it was indexed`,
  );
};

const plural = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

const mostNames = 8;

/**
 * Whether what was sent is there. Known gaps are losses that receivers counted, numbers that never came, and entries
 * that are not what was committed; nothing is known of senders that do not number their lines.
 * @throws IndexError
 */
export const completenessOf = async (index: Index, query: Query): Promise<Completeness> => {
  const state = index.state();
  const scope = [...index.senders.all()].filter((sender) => inScope(query, sender));
  const gaps = [...(await losses(index, query)), ...(await holes(index, query))];
  const unnumbered = [
    ...new Set(
      scope.filter((sender) => !sender.numbered).map((sender) => `${sender.source} by ${sender.via}`),
    ),
  ];
  const details = [
    ...gaps
      .slice(0, mostNames)
      .map((gap) => `${gap.count ?? 'an unknown number'} lost: ${gap.sender}, ${gap.cause}`),
    ...(state.altered.length > 0
      ? [
          `lines of ${state.altered
            .map(({ entry }) => `entry ${entry}`)
            .slice(0, mostNames)
            .join(', ')} are not in the index`,
        ]
      : []),
    ...(unnumbered.length > 0
      ? [`nobody can tell what is missing from senders that do not number their lines: ${listed(unnumbered)}`]
      : []),
    ...(state.indexed < state.committed
      ? [`entries ${state.indexed} to ${state.committed - 1} are not indexed yet`]
      : []),
  ];
  const verdict =
    gaps.length > 0 || state.altered.length > 0 ? 'known gaps' : details.length > 0 ? 'unknown' : 'complete';
  return {
    verdict,
    detail:
      details.length > 0
        ? details.join('; ')
        : 'every sender in this range numbers its lines, and no number is missing',
    gaps,
  };
};

const listed = (names: readonly string[]): string =>
  names.length <= mostNames
    ? names.join(', ')
    : `${names.slice(0, mostNames).join(', ')} and ${names.length - mostNames} more`;

/** Lines that receivers and agents wrote of what they lost (`kind` = `loss`). */
const losses = async (index: Index, query: Query): Promise<Gap[]> => {
  if (![...index.senders.all()].some((sender) => sender.via === 'self')) return [];
  const rows = await index.engine.rows(
    'interactive',
    `SELECT if(fields['listener'] != '', fields['listener'], source) AS sender, fields['cause'] AS cause, sum(toUInt64OrZero(fields['count'])) AS lost,
      toUnixTimestamp64Micro(min(time)) AS first, toUnixTimestamp64Micro(max(time)) AS last,
      min(fields['since']) AS since, max(fields['until']) AS until
    FROM lines
    WHERE app = 'holdfast' AND via = 'self' AND fields['kind'] = 'loss' AND entry < ${index.state().indexed} AND ${timeSql(query)}
    GROUP BY sender, cause ORDER BY lost DESC LIMIT 100`,
  );
  return rows.map((row) => ({
    sender: String(row['sender']),
    cause: String(row['cause']),
    count: Number(row['lost']) || null,
    from: String(row['since']) || formatMicros(micros(Number(row['first']))),
    until: String(row['until']) || formatMicros(micros(Number(row['last']))),
  }));
};

/** A loss is put into words up to a minute after it happened. Numbers only, so they may stand in the text. */
const timeSql = ({ since, until }: Query): string =>
  [
    ...(since === null ? [] : [`time >= fromUnixTimestamp64Micro(toInt64(${since}))`]),
    ...(until === null ? [] : [`time < fromUnixTimestamp64Micro(toInt64(${until + 60_000_000}))`]),
  ].join(' AND ') || 'true';

const mostHoles = 20;

const holes = async (index: Index, query: Query): Promise<Gap[]> => {
  const found = index.state().numbering.holes();
  if (found.length === 0) return [];
  const gaps: Gap[] = [];
  for (const hole of found.slice(-mostHoles)) {
    const gap = await holeGap(index, hole);
    const before = query.since !== null && gap.until < formatMicros(query.since);
    const after = query.until !== null && gap.from >= formatMicros(query.until);
    if (!before && !after) gaps.push(gap);
  }
  return gaps;
};

/** The hole's place in time: between the lines whose numbers stand around it. */
const holeGap = async (index: Index, { stream, first, last }: Hole): Promise<Gap> => {
  const [row] = await index.engine.rows(
    'interactive',
    `SELECT toUnixTimestamp64Micro(minIf(received, sequence >= {first:UInt64})) AS after, countIf(sequence < {first:UInt64}) AS earlier,
      toUnixTimestamp64Micro(maxIf(received, sequence < {first:UInt64})) AS before
    FROM lines WHERE stream = {stream:String}`,
    { stream, first },
  );
  const after = formatMicros(micros(Number(row?.['after'] ?? 0)));
  return {
    sender: stream,
    cause: first === last ? `number ${first} never came` : `numbers ${first} to ${last} never came`,
    count: last - first + 1,
    from: Number(row?.['earlier'] ?? 0) > 0 ? formatMicros(micros(Number(row?.['before'] ?? 0))) : after,
    until: after,
  };
};
