import { isTrouble } from '../severity.ts';
import { milliseconds } from '../time.ts';
import type { CountsAnswer, Hit } from '../wire.ts';

export type Buckets = {
  /** Begin of each bucket, seconds since the epoch. */
  begins: number[];
  /** Width of a bucket, seconds. */
  width: number;
  lines: number[];
  /** Those of them that are errors or worse. */
  troubles: number[];
};

const widths = [
  0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
];
const mostBuckets = 90;

/** Counts hits over time, in round steps of the clock. `null` for fewer than two hits: one bar says nothing. */
export const bucketsOf = (hits: Hit[]): Buckets | null => {
  if (hits.length < 2) return null;
  const times = hits.map((hit) => milliseconds(hit.time) / 1000);
  let first = Infinity;
  let last = -Infinity;
  for (const time of times) {
    first = Math.min(first, time);
    last = Math.max(last, time);
  }
  const range = Math.max(last - first, 1);
  const width =
    widths.find((step) => range / step <= mostBuckets) ?? Math.ceil(range / mostBuckets / 86_400) * 86_400;
  const begin = Math.floor(first / width) * width;
  const size = Math.floor((last - begin) / width) + 1;
  const begins = Array.from({ length: size }, (_, index) => begin + index * width);
  const lines = begins.map(() => 0);
  const troubles = begins.map(() => 0);
  for (const [index, time] of times.entries()) {
    const bucket = Math.min(size - 1, Math.max(0, Math.floor((time - begin) / width)));
    lines[bucket] = (lines[bucket] ?? 0) + 1;
    if (isTrouble(hits[index]?.severity ?? null)) troubles[bucket] = (troubles[bucket] ?? 0) + 1;
  }
  return { begins, width, lines, troubles };
};

/** All that matches, as it was counted, with what came since. `null` where there is nothing to draw. */
export const bucketsFrom = ({ counts }: CountsAnswer, fresh: Hit[]): Buckets | null => {
  const { histogram } = counts;
  const [first] = histogram?.bars ?? [];
  if (histogram === null || first === undefined) return null;
  const width = histogram.step;
  const begin = milliseconds(first.from) / 1000;
  const lines = histogram.bars.map(({ count }) => count);
  const troubles = histogram.bars.map(({ errors }) => errors);
  for (const hit of fresh) {
    const bucket = Math.floor((milliseconds(hit.time) / 1000 - begin) / width);
    // What is far off would draw the rest as a hair.
    if (bucket < 0 || bucket > 2 * mostBuckets) continue;
    while (lines.length <= bucket) {
      lines.push(0);
      troubles.push(0);
    }
    lines[bucket] = (lines[bucket] ?? 0) + 1;
    if (isTrouble(hit.severity)) troubles[bucket] = (troubles[bucket] ?? 0) + 1;
  }
  return { begins: lines.map((_, index) => begin + index * width), width, lines, troubles };
};
