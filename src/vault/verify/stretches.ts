import type { Removed } from './completeness.ts';

/** Entries that have something in common, neighbours taken together. */
type Stretch = { first: number; end: number; lines: number; under: number };

export type Stretches = {
  /** In ascending order. Entries that are no batch may lie between two neighbours. */
  add(entry: number, lines: number, under: number): void;
  /** What of a range of entries is in it; `null` for nothing. */
  within(range: { first: number; end: number }): { lines: number } | null;
  all(kind: Removed['kind']): Removed[];
  /** Entries. */
  size(): number;
  named(): string;
};

const mostStretches = 100_000;
const mostNamed = 8;

export const newStretches = (): Stretches => {
  const all: Stretch[] = [];
  let size = 0;
  return {
    add(entry, lines, under) {
      size += 1;
      const last = all.at(-1);
      // Where there are too many, the last one grows: it is then longer than what is in it.
      if (
        last !== undefined &&
        ((last.end === entry && last.under === under) || all.length >= mostStretches)
      ) {
        last.end = entry + 1;
        last.lines += lines;
      } else all.push({ first: entry, end: entry + 1, lines, under });
    },
    within({ first, end }) {
      let low = 0;
      let high = all.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((all[middle]?.end ?? 0) > first) high = middle;
        else low = middle + 1;
      }
      let lines: number | null = null;
      for (let at = low; ; at++) {
        const stretch = all[at];
        if (stretch === undefined || stretch.first >= end) break;
        lines = (lines ?? 0) + stretch.lines;
      }
      return lines === null ? null : { lines };
    },
    all: (kind) => all.map((stretch) => ({ kind, ...stretch })),
    size: () => size,
    named() {
      const shown = all
        .slice(0, mostNamed)
        .map(({ first, end }) => (end - first === 1 ? `${first}` : `${first} to ${end - 1}`));
      return `${shown.join(', ')}${all.length > mostNamed ? ' and more' : ''}`;
    },
  };
};
