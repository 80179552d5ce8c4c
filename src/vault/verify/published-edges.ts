import { edgeTiles, levelCount, tilePath, tileWidth, type Tile } from '#vault/tree';

/**
 * Partial tiles that published checkpoints had, as far as they may still lie there: those at the right edge of today,
 * and those that the newest commit has completed. A bounded number, however many checkpoints there were.
 */
export type PublishedEdges = {
  /** A published checkpoint of this size; in ascending order. */
  add(size: number): void;
  /** As `add`, in any order, for a size that is not the newest. */
  also(size: number): void;
  /** Whether a published checkpoint had this partial tile. */
  has(tile: Tile): boolean;
  /** Paths of the partial tiles that earlier checkpoints have at the right edge of `size`, bundles included. */
  kept(size: number): Set<string>;
  /** The size before the last that was added; 0 where there is none. */
  before(): number;
};

export const newPublishedEdges = (): PublishedEdges => {
  /** By level and index of a tile, the widths that it had. */
  const levels = new Map<number, Map<number, Set<number>>>();
  let last = 0;
  let before = 0;
  const note = (size: number): void => {
    for (const { level, index, width } of edgeTiles(size)) {
      if (index < edgeIndex(before, level)) continue;
      const byIndex = levels.get(level) ?? new Map<number, Set<number>>();
      levels.set(level, byIndex);
      byIndex.set(index, (byIndex.get(index) ?? new Set()).add(width));
    }
  };
  return {
    also: note,
    add(size) {
      before = last;
      last = size;
      note(size);
      for (const [level, byIndex] of levels)
        for (const index of byIndex.keys()) if (index < edgeIndex(before, level)) byIndex.delete(index);
    },
    has: (tile) => levels.get(levelOf(tile))?.get(tile.index)?.has(tile.width) ?? false,
    kept(size) {
      const found = new Set<string>();
      const now = new Map(edgeTiles(size).map(({ level, width }) => [level, width]));
      for (const [level, byIndex] of levels) {
        const index = edgeIndex(size, level);
        for (const width of byIndex.get(index) ?? []) {
          if (width === now.get(level)) continue;
          found.add(tilePath({ level, index, width }));
          if (level === 0) found.add(tilePath({ level: 'entries', index, width }));
        }
      }
      return found;
    },
    before: () => before,
  };
};

export const levelOf = ({ level }: Tile): number => (level === 'entries' ? 0 : level);

/** Index of the partial tile at the right edge of a log of this size. */
export const edgeIndex = (size: number, level: number): number =>
  Math.floor(levelCount(size, level) / tileWidth);
