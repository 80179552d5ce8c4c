import { micros, type Micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { Index } from '#index';
import type { Counts } from '#wire/counts';
import type { Rows } from '../matching-lines.ts';

type Histogram = NonNullable<Counts['counts']['histogram']>;

const second = 1_000_000;
const day = 86_400;
/** Seconds: round steps of the clock. */
const steps = [
  1,
  2,
  5,
  10,
  15,
  30,
  60,
  120,
  300,
  600,
  900,
  1800,
  3600,
  7200,
  10_800,
  21_600,
  43_200,
  day,
  2 * day,
  7 * day,
  30 * day,
  90 * day,
  365 * day,
];

/** The smallest round step, in seconds, in which a range takes at most so many bars, wherever the range begins. */
export const stepFor = (first: Micros, last: Micros, bars: number): number =>
  steps.find((step) => barOf(last, step) - barOf(first, step) < bars) ??
  365 * day * Math.ceil((last - first) / (365 * day * second) / Math.max(1, bars - 1));

const barOf = (time: Micros, step: number): number => Math.floor(time / (step * second));

/**
 * Matching lines over time, in at most `bars` bars from `first` to `last`, both included.
 * @throws IndexError
 */
export const histogramOf = async (
  index: Index,
  { from, parameters, settings }: Rows,
  { first, last }: { first: Micros; last: Micros },
  bars: number,
): Promise<Histogram> => {
  const step = stepFor(first, last, bars);
  const rows = await index.engine.rows(
    'interactive',
    `SELECT intDiv(toUnixTimestamp64Micro(time), ${step * second}) AS bar, count() AS n, countIf(severity <= 3) AS errors
    FROM ${from} GROUP BY bar${settings}`,
    parameters,
  );
  const counted = new Map(rows.map((row) => [Number(row['bar']), row]));
  const begin = barOf(first, step);
  return {
    step,
    bars: Array.from({ length: barOf(last, step) - begin + 1 }, (_, at) => {
      const row = counted.get(begin + at);
      return {
        from: formatMicros(micros((begin + at) * step * second)),
        count: Number(row?.['n'] ?? 0),
        errors: Number(row?.['errors'] ?? 0),
      };
    }),
  };
};
