import { foldPeaks, nodeHash } from './hash.ts';

/** The peaks of a growing tree: all that is needed to know its root at every size it passes through. */
export type CompactRange = {
  size(): number;
  /** Appends one leaf hash. */
  push(leaf: Buffer): void;
  root(): Buffer;
};

export const compactRange = (): CompactRange => {
  const row: { hash: Buffer; leaves: number }[] = [];
  let size = 0;
  return {
    size: () => size,
    push(leaf) {
      let merged: { hash: Buffer; leaves: number } = { hash: Buffer.from(leaf), leaves: 1 };
      for (let last = row.at(-1); last !== undefined && last.leaves === merged.leaves; last = row.at(-1)) {
        merged = { hash: nodeHash(last.hash, merged.hash), leaves: merged.leaves * 2 };
        row.pop();
      }
      row.push(merged);
      size += 1;
    },
    root: () => foldPeaks(row.map((peak) => peak.hash)),
  };
};
