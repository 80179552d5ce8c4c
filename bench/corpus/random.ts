/** A generator of pseudo-random numbers that gives the same ones everywhere for the same seed (mulberry32). */
export type Random = {
  /** An integer in [0, below). */
  below(below: number): number;
  pick(from: readonly string[]): string;
};

export const random = (seed: number): Random => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  return {
    below: (below) => next() % below,
    pick: (from) => from[next() % from.length] ?? '',
  };
};
