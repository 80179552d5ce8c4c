import type { Amended } from './scan.ts';

/** Stretches of entries that may have expired, for one class: sorted, and without overlap. */
type Piece = { first: number; end: number; by: number };

export type Coverage = {
  /** The first expire entry that covers a batch of this class; `null` where none does. */
  of(batch: number, className: string): number | null;
};

/** Which expire entry covers which batch: the earliest, and only one that comes after the batch. */
export const newCoverage = (amendments: readonly Amended[]): Coverage => {
  const byClass = new Map<string, Piece[]>();
  for (const { index, entry } of amendments) {
    if (entry.kind !== 'expire') continue;
    const pieces = byClass.get(entry.class) ?? [];
    byClass.set(entry.class, pieces);
    cover(pieces, { first: entry.entries.first, end: Math.min(entry.entries.end, index), by: index });
  }
  return {
    of(batch, className) {
      const pieces = byClass.get(className) ?? [];
      const piece = pieces[firstEndingAfter(pieces, batch)];
      return piece !== undefined && piece.first <= batch ? piece.by : null;
    },
  };
};

/** Adds what is not covered yet. */
const cover = (pieces: Piece[], { first, end, by }: Piece): void => {
  let at = firstEndingAfter(pieces, first);
  for (let from = first; from < end;) {
    const next = pieces[at];
    if (next !== undefined && next.first <= from) {
      from = next.end;
    } else {
      const until = Math.min(end, next?.first ?? end);
      pieces.splice(at, 0, { first: from, end: until, by });
      from = until;
    }
    at += 1;
  }
};

/** Index of the first piece that ends after a place. */
const firstEndingAfter = (pieces: readonly Piece[], place: number): number => {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((pieces[middle]?.end ?? 0) > place) high = middle;
    else low = middle + 1;
  }
  return low;
};
