import type { Run } from './senders.ts';

/** Where a number stands: the entry of its line, and when that was received, µs. */
export type Place = { entry: number; received: number };

/** Numbers first … last, all there. */
type Stretch = { first: number; last: number; start: Place; end: Place };

/** Numbers of a stream that never came, and the lines around them; `null` where there is none. */
export type Hole = { stream: string; first: number; last: number; before: Place | null; after: Place };

export type Numbering = {
  /** Batches may come in any order; a number that comes twice is no hole. */
  add(entry: number, run: Run): void;
  /** @param fromOne whether streams are known from their first line: they begin at 1 */
  holes(fromOne: boolean): Generator<Hole>;
  streams(): number;
  /** Runs that found no place: there are too many streams, or too many holes. */
  forgotten(): number;
};

/** What a hostile sender may make a verifier remember: some hundred megabytes. */
const mostStretches = 1_000_000;

/** Which numbers of which stream are there. Senders number from 1 without a hole, so a stream is nearly always one stretch. */
export const newNumbering = (limit = mostStretches): Numbering => {
  const streams = new Map<string, Stretch[]>();
  let stretches = 0;
  let forgotten = 0;

  const insert = (all: Stretch[], added: Stretch): void => {
    let low = 0;
    let high = all.length;
    // The first stretch that ends next to `added` or later.
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((all[middle]?.last ?? 0) >= added.first - 1) high = middle;
      else low = middle + 1;
    }
    let end = low;
    let joined = added;
    for (let next = all[end]; next !== undefined && next.first <= joined.last + 1; next = all[++end])
      joined = join(joined, next);
    if (end === low && stretches >= limit) {
      forgotten += 1;
      return;
    }
    all.splice(low, end - low, joined);
    stretches += 1 - (end - low);
  };

  return {
    add(entry, { stream, first, last, from, until }) {
      const added = { first, last, start: { entry, received: from }, end: { entry, received: until } };
      const all = streams.get(stream);
      const newest = all?.at(-1);
      if (all === undefined) {
        if (stretches >= limit) forgotten += 1;
        else {
          streams.set(stream, [added]);
          stretches += 1;
        }
      } else if (newest !== undefined && first === newest.last + 1) {
        newest.last = last;
        newest.end = added.end;
      } else insert(all, added);
    },
    *holes(fromOne) {
      for (const [stream, all] of streams) {
        let before: Stretch | null = null;
        for (const stretch of all) {
          const next: number = before === null ? 1 : before.last + 1;
          if (stretch.first > next && (before !== null || fromOne))
            yield {
              stream,
              first: next,
              last: stretch.first - 1,
              before: before?.end ?? null,
              after: stretch.start,
            };
          before = stretch;
        }
      }
    },
    streams: () => streams.size,
    forgotten: () => forgotten,
  };
};

const join = (one: Stretch, other: Stretch): Stretch => ({
  first: Math.min(one.first, other.first),
  last: Math.max(one.last, other.last),
  start: one.first <= other.first ? one.start : other.start,
  end: one.last >= other.last ? one.end : other.end,
});
