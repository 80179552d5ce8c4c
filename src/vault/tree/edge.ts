import { VaultFormatError } from './format-error.ts';
import { encodeBundleEntry, parseBundle } from './bundle.ts';
import { foldPeaks, hashSize, leafHash, peaks, treeRoot } from './hash.ts';
import { edgeTiles, edgeWidth, partialsPath, tilePath, tileWidth } from './tile-path.ts';

/** The right edge of a log: all that is needed to append to it. Never changed in place. */
export type Edge = {
  size: number;
  /** By level, the hashes of the partial tile; empty where there is none. */
  levels: readonly Buffer[];
  /** The partial bundle. */
  bundle: Buffer;
};

export type TreeFile = { path: string; bytes: Buffer };

export const emptyEdge: Edge = { size: 0, levels: [], bundle: Buffer.alloc(0) };

export const edgeRoot = (edge: Edge): Buffer => foldPeaks(edge.levels.toReversed().flatMap(peaks));

export type Growth = {
  edge: Edge;
  /** Every tile and bundle that is new or wider than before, whole. */
  files: TreeFile[];
  /** Directories of partial tiles that full ones have replaced. */
  replaced: string[];
};

/** The log after `entries` were appended, and the files by which it differs. A partial tile never enters its parent. */
export const growEdge = (edge: Edge, entries: readonly Buffer[]): Growth => {
  const levels = [...edge.levels];
  const changed = new Set<number>();
  const files: TreeFile[] = [];
  const replaced: string[] = [];
  let bundle: Buffer[] = [edge.bundle];
  let size = edge.size;

  const push = (level: number, hash: Buffer): void => {
    const row = Buffer.concat([levels[level] ?? Buffer.alloc(0), hash]);
    levels[level] = row;
    changed.add(level);
    if (row.length < tileWidth * hashSize) return;
    const index = Math.floor((size - 1) / tileWidth ** (level + 1));
    files.push({ path: tilePath({ level, index, width: tileWidth }), bytes: row });
    replaced.push(partialsPath({ level, index }));
    levels[level] = Buffer.alloc(0);
    push(level + 1, treeRoot(row));
  };

  for (const entry of entries) {
    bundle.push(encodeBundleEntry(entry));
    size += 1;
    if (size % tileWidth === 0) {
      const index = size / tileWidth - 1;
      files.push({
        path: tilePath({ level: 'entries', index, width: tileWidth }),
        bytes: Buffer.concat(bundle),
      });
      replaced.push(partialsPath({ level: 'entries', index }));
      bundle = [];
    }
    push(0, leafHash(entry));
  }

  const grown: Edge = { size, levels, bundle: Buffer.concat(bundle) };
  for (const tile of edgeTiles(size)) {
    if (changed.has(tile.level))
      files.push({ path: tilePath(tile), bytes: levels[tile.level] ?? Buffer.alloc(0) });
  }
  const width = edgeWidth(size, 0);
  if (width > 0 && changed.has(0)) {
    const index = Math.floor(size / tileWidth);
    files.push({ path: tilePath({ level: 'entries', index, width }), bytes: grown.bundle });
  }
  return { edge: grown, files, replaced };
};

/**
 * The edge of a log of `size` entries from its files, checked against `root`.
 * @param read bytes of a file of the vault
 * @throws VaultFormatError when the files do not give that root; whatever `read` throws
 */
export const loadEdge = (read: (path: string) => Buffer, size: number, root: Buffer): Edge => {
  const levels: Buffer[] = [];
  for (const tile of edgeTiles(size)) {
    const path = tilePath(tile);
    const bytes = read(path);
    if (bytes.length !== tile.width * hashSize)
      throw new VaultFormatError(`${path} has ${bytes.length} bytes, expected ${tile.width * hashSize}`);
    levels[tile.level] = bytes;
  }
  for (let level = 0; level < levels.length; level++) levels[level] ??= Buffer.alloc(0);

  const edge: Edge = { size, levels, bundle: size === 0 ? Buffer.alloc(0) : loadBundle(read, size, levels) };
  if (!edgeRoot(edge).equals(root))
    throw new VaultFormatError(`the tiles at the right edge do not give root ${root.toString('base64')}`);
  return edge;
};

/** The partial bundle (empty if the last one is full), after the last bundle was checked against the edge. */
const loadBundle = (read: (path: string) => Buffer, size: number, levels: readonly Buffer[]): Buffer => {
  const width = edgeWidth(size, 0) || tileWidth;
  let index = Math.ceil(size / tileWidth) - 1;
  const path = tilePath({ level: 'entries', index, width });
  const bytes = read(path);
  let row: Buffer = Buffer.concat(parseBundle(bytes, width).map(leafHash));
  let tile = tilePath({ level: 0, index, width });
  if (!row.equals(read(tile))) throw new VaultFormatError(`${path} does not match ${tile}`);
  // A full tile is not on the edge: follow it upwards to the partial tile that has its hash last.
  for (let level = 0; row.length === tileWidth * hashSize; level++) {
    index = Math.floor(index / tileWidth);
    const edge = levels[level + 1];
    const parent =
      edge !== undefined && edge.length > 0
        ? edge
        : read(tilePath({ level: level + 1, index, width: tileWidth }));
    if (!treeRoot(row).equals(parent.subarray(-hashSize)))
      throw new VaultFormatError(`${tile} does not match its parent`);
    tile = tilePath({ level: level + 1, index, width: tileWidth });
    row = parent;
  }
  return width === tileWidth ? Buffer.alloc(0) : bytes;
};
