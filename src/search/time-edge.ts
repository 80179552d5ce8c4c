import { micros, type Micros } from '#base/clock';
import type { Index } from '#index';
import type { Hit } from '#wire/search';
import type { MatchingLines } from './matching-lines.ts';
import type { Query } from './query/expression.ts';

/** With fewer lines all are as quickly looked at. */
const worthIt = 500_000;
/** So many times as many matches are expected up to the edge as are wanted; the second, if the first are not enough. */
const margins = [2, 16];
/** Where nothing is known of how many match: so many lines are looked at first, and then so many times as many. */
const firstLines = 262_144;
const widening = 16;

/**
 * The first `most` from one end, of the time within which they probably are, or else of all.
 * @param count of all that match, where `nearEnd` found too few of them; `null` if not known
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
  const times = index.state().lines < least ? [] : probableTimes(index, query, from, most, count, least);
  for (const time of times) {
    const hits = await lines.hits(from, most, time);
    if (hits.length === most) return hits;
  }
  return lines.hits(from, most);
};

/**
 * The first `most` from one end, if there are so many where they are looked for first; how many match is not known yet.
 * @throws IndexError
 */
export const nearEnd = async (
  index: Index,
  lines: MatchingLines,
  query: Query,
  from: 'newest' | 'oldest',
  most: number,
  least: number = worthIt,
): Promise<Hit[]> => {
  const [time] = index.state().lines < least ? [] : probableTimes(index, query, from, most, null, least);
  return time === undefined ? [] : lines.hits(from, most, time);
};

/**
 * Conditions on the time within which the newest or oldest matches probably are, each wider than the one before, so that
 * what is older or newer need not be looked at for them. None that saves nothing.
 */
const probableTimes = (
  index: Index,
  { since, until }: Query,
  from: 'newest' | 'oldest',
  wanted: number,
  count: number | null,
  least: number,
): string[] => {
  const { arrivals } = index;
  const first = oldestOf(index);
  const begin = since === null ? 0 : arrivals.linesBefore(since, first);
  const end = until === null ? index.state().lines : arrivals.linesBefore(until, first);
  const all = end - begin;
  const near = Math.min(firstLines, least / 2);
  const looked: number[] = [];
  if (count !== null)
    looked.push(...margins.map((margin) => (all * wanted * margin) / count).filter((n) => n > near));
  else for (let n = near; n < all; n *= widening) looked.push(n);
  return looked
    .filter((n) => n <= all / 2)
    .map((n) =>
      from === 'newest'
        ? `time >= ${timeSql(arrivals.timeOf(end - n, first))}`
        : `time < ${timeSql(arrivals.timeOf(begin + n, first))}`,
    );
};

const oldestOf = ({ senders }: Index): Micros => {
  let first = senders.others()?.first ?? Infinity;
  for (const sender of senders.all()) first = Math.min(first, sender.first);
  return micros(first);
};

const timeSql = (time: Micros): string => `fromUnixTimestamp64Micro(toInt64(${time}))`;
