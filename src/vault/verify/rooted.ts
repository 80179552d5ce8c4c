import {
  edgeTiles,
  edgeWidth,
  foldPeaks,
  hashAt,
  hashSize,
  levelCount,
  maxLevel,
  peaks,
  tilePath,
  tileWidth,
  treeRoot,
} from '#vault/tree';
import { storedBundles, storedTiles, type CheckedBundle, type TilesChecking } from './stored.ts';

/** Tiles and bundles one by one, each followed up to the root. What does not lead there is a finding, and `null`. */
export type RootedTiles = {
  /** The bundle at `index`, and which of its entries are under the root; `null` where its tile is not. */
  bundle(index: number): CheckedBundle | null;
  /** Root of the log when it had `size` entries. */
  rootAt(size: number): Buffer | null;
};

const rowsKept = 64;

export const newRootedTiles = (checking: TilesChecking): RootedTiles => {
  const { size, root, findings } = checking;
  const stored = storedTiles(checking);
  const bundles = storedBundles(checking);
  const rows = new Map<string, Buffer | null>();
  let edge: Map<number, Buffer> | null | undefined;

  /** The partial tiles at the right edge, which together give the root; `null` where they do not. */
  const edgeRows = (): Map<number, Buffer> | null => {
    if (edge !== undefined) return edge;
    const found = new Map<number, Buffer>();
    const inOrder: Buffer[] = [];
    for (const tile of edgeTiles(size)) {
      const row = stored.read(tile.level, tile.index, tile.width)?.row;
      if (row === undefined) continue;
      found.set(tile.level, row);
      inOrder.push(row);
    }
    const isTrue =
      inOrder.length === edgeTiles(size).length && foldPeaks(inOrder.flatMap(peaks)).equals(root);
    if (!isTrue)
      findings.add({
        file: 'checkpoint',
        what: `the tiles at the right edge do not give its root: one of ${edgeTiles(size)
          .map((tile) => tilePath({ ...tile }))
          .join(', ')} was changed (verify without a range to learn which)`,
      });
    edge = isTrue ? found : null;
    return edge;
  };

  const row = (level: number, index: number): Buffer | null => {
    if (level > maxLevel) return null;
    const count = levelCount(size, level);
    if (index === Math.floor(count / tileWidth)) return edgeRows()?.get(level) ?? null;
    const key = `${level}/${index}`;
    const known = rows.get(key);
    if (known !== undefined) return known;
    const found = fullRow(level, index);
    if (rows.size >= rowsKept) rows.delete(rows.keys().next().value ?? key);
    rows.set(key, found);
    return found;
  };

  const fullRow = (level: number, index: number): Buffer | null => {
    const own = stored.read(level, index, tileWidth)?.row ?? null;
    const above = row(level + 1, Math.floor(index / tileWidth));
    if (own === null || above === null) return null;
    if (treeRoot(own).equals(hashAt(above, index % tileWidth))) return own;
    const file = tilePath({ level, index, width: tileWidth });
    if (!findings.has(file)) findings.add({ file, what: 'changed: its hashes are not those under the root' });
    return null;
  };

  return {
    bundle(index) {
      const width = index === Math.floor(size / tileWidth) ? edgeWidth(size, 0) : tileWidth;
      const leaves = row(0, index);
      return leaves === null ? null : bundles.check(bundles.read(index, width), leaves);
    },
    rootAt(earlier) {
      const inOrder: Buffer[] = [];
      for (let level = maxLevel; level >= 0; level--) {
        const width = edgeWidth(earlier, level);
        if (width === 0) continue;
        const found = row(level, Math.floor(levelCount(earlier, level) / tileWidth));
        if (found === null) return null;
        inOrder.push(found.subarray(0, width * hashSize));
      }
      return foldPeaks(inOrder.flatMap(peaks));
    },
  };
};
