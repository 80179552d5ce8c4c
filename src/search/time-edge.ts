import { micros, type Micros } from '#base/clock';
import type { Index } from '#index';
import type { Hit } from '#wire/search';
import type { MatchingLines } from './matching-lines.ts';
import type { Query } from './query/expression.ts';

/** With fewer lines all are as quickly looked at. */
const worthIt = 500_000;
/** So many times as many matches are expected up to the edge as are wanted. */
const margin = 4;
/** Where nothing is known of how many match. */
const someShare = 1 / 64;

/**
 * The first `most` from one end, of the time within which they probably are, or else of all.
 * @param count of all that match; `null` if not known
 * @param least lines of the index from which on it is so narrowed
 * @throws IndexError
 */
export const endOf = async (
  index: Index,
  lines: MatchingLines,
  query: Query,
  from: 'newest' | 'oldest',
  most: number,
  count: number | null,
  least: number = worthIt,
): Promise<Hit[]> => {
  const time = index.state().lines < least ? null : probableTime(index, query, from, most, count);
  const hits = time === null ? [] : await lines.hits(from, most, time);
  return hits.length < most ? lines.hits(from, most) : hits;
};

/**
 * A condition on the time within which the newest or oldest matches probably are, so that what is older or newer need
 * not be looked at for them. `null` where that saves nothing.
 */
const probableTime = (
  index: Index,
  { since, until }: Query,
  from: 'newest' | 'oldest',
  wanted: number,
  count: number | null,
): string | null => {
  const share = count === null ? someShare : (wanted * margin) / count;
  if (share > 0.5 || index.senders.others() !== null) return null;
  let [first, last] = [Infinity, -Infinity];
  for (const sender of index.senders.all()) {
    first = Math.min(first, sender.first);
    last = Math.max(last, sender.last);
  }
  first = Math.max(first, since ?? first);
  last = Math.min(last, until ?? last);
  const span = last - first;
  if (!(span > 0)) return null;
  return from === 'newest'
    ? `time >= ${timeSql(micros(Math.floor(last - span * share)))}`
    : `time < ${timeSql(micros(Math.ceil(first + span * share)))}`;
};

const timeSql = (time: Micros): string => `fromUnixTimestamp64Micro(toInt64(${time}))`;
