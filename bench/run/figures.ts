import type { Count } from '../corpus/tally.ts';

/** What one run of one contender came to. */
export type Figures = {
  contender: string;
  /** What its user has when the clock stops. */
  reached: string;
  /** From the first byte sent until `reached` is true. */
  wallSeconds: number;
  /** Of all processes concerned, over the same time. The sender's is not counted. */
  cpuSeconds: number;
  /** The same until they rest again: background work that was still to do. */
  cpuSecondsAtRest: number;
  /** Sum of the processes' own peaks. */
  peakBytes: number;
  /** At rest, by what is stored. */
  disk: Record<string, number>;
  /** Their sum. */
  diskBytes: number;
  /** Where the main threads' time went, if CPU profiles were wanted. */
  hottest: string | null;
  processes: Record<string, { cpuSeconds: number; peakBytes: number }>;
  /** What was found where it was stored, every line looked at. */
  count: Count;
};

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
};
