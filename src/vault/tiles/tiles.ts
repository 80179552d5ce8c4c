import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, systemCode } from '#base/errors';
import type { Checkpoint } from '#vault/checkpoint';
import {
  edgeTiles,
  foldPeaks,
  hashAt,
  hashSize,
  leafHash,
  levelCount,
  parseBundle,
  peaks,
  tilePath,
  tileWidth,
  treeRoot,
  type Tile,
} from '#vault/tree';
import { VaultError } from '../errors.ts';

/** The tiles of a vault under one checkpoint: whatever comes out of here has been followed up to its root. */
export type Tiles = {
  /** Entries `index`·256 and on, at most 256, as far as the checkpoint goes. @throws VaultError `corrupt` */
  bundle(index: number): readonly Buffer[];
  /** Hashes of the tile at `index` of a level, as far as the checkpoint goes. @throws VaultError `corrupt` */
  hashes(level: number, index: number): Buffer;
  /**
   * Path that proves entry `index` in the tree of the first `within` entries (RFC 9162 §2.1.3.1).
   * @param within default: all that the checkpoint covers
   * @throws VaultError `expected-more`, `corrupt`
   */
  inclusionPath(index: number, within?: number): Buffer[];
  /**
   * Path that proves that the tree of the first `to` entries begins with that of the first `from` (RFC 9162
   * §2.1.4.1); empty for `from` 0, and where both are the same.
   * @throws VaultError `expected-more`, `corrupt`
   */
  consistencyPath(from: number, to: number): Buffer[];
  /** Root of the first `to` entries. @throws VaultError `expected-more`, `corrupt` */
  rootAt(to: number): Buffer;
};

/** What need not be made again under a later checkpoint of the same log. */
export type Kept = {
  /** Full tiles that were checked: they never change. */
  tiles: Map<string, Buffer>;
  /** Bundles as their files last were, with what was made of them. */
  bundles: Map<string, Bundle>;
};

type Bundle = { bytes: Buffer; entries: readonly Buffer[]; hashes: Buffer };

export const keptTiles = (): Kept => ({ tiles: new Map(), bundles: new Map() });

const maxTiles = 256;
/** Most have some 100 KB. */
const maxBundleBytes = 4 * 1024 * 1024;

/**
 * @throws VaultError `corrupt` if the right edge does not give the checkpoint's root
 */
export const openTiles = (vault: string, { size, root }: Checkpoint, kept: Kept = keptTiles()): Tiles => {
  const edge = new Map<number, Buffer>();
  const row: Buffer[] = [];
  for (const tile of edgeTiles(size)) {
    const hashes = readTile(vault, tile);
    edge.set(tile.level, hashes);
    row.push(...peaks(hashes));
  }
  if (!foldPeaks(row).equals(root)) {
    throw new VaultError(
      'corrupt',
      `${vault}: the tiles at the right edge of size ${size} do not give its root. Run "holdfast vault verify"`,
    );
  }

  /** The hashes of a tile, each known to be under the root. */
  const authentic = (level: number, index: number): Buffer => {
    if (index === Math.floor(levelCount(size, level) / tileWidth)) return edge.get(level) ?? Buffer.alloc(0);
    const tile = { level, index, width: tileWidth };
    const key = tilePath(tile);
    const known = kept.tiles.get(key);
    if (known !== undefined) return known;
    const hashes = readTile(vault, tile);
    const parent = authentic(level + 1, Math.floor(index / tileWidth));
    if (!treeRoot(hashes).equals(hashAt(parent, index % tileWidth))) throw changed(tilePath(tile));
    if (kept.tiles.size >= maxTiles) kept.tiles.clear();
    kept.tiles.set(key, hashes);
    return hashes;
  };

  /** The file is read each time; where it is as it was, its entries need not be hashed again. */
  const bundleNow = (tile: Tile): Bundle => {
    const key = tilePath(tile);
    const bytes = readFile(vault, tile);
    const known = kept.bundles.get(key);
    if (known?.bytes.equals(bytes) === true) return known;
    const entries = parse(tile, bytes, tile.width);
    const made = { bytes, entries, hashes: Buffer.concat(entries.map(leafHash)) };
    const others = [...kept.bundles.values()].reduce((sum, other) => sum + other.bytes.length, 0);
    if (others + bytes.length > maxBundleBytes) kept.bundles.clear();
    if (bytes.length <= maxBundleBytes) kept.bundles.set(key, made);
    return made;
  };

  /** Root of the entries from..to, where `from` is where a subtree of at least that many begins. */
  const rangeRoot = (from: number, to: number): Buffer => {
    const found: Buffer[] = [];
    for (let at = from; at < to;) {
      let height = 0;
      while (at % 2 ** (height + 1) === 0 && at + 2 ** (height + 1) <= to) height += 1;
      const level = Math.floor(height / 8);
      const width = 2 ** (height % 8);
      const first = at / 2 ** (level * 8);
      const hashes = authentic(level, Math.floor(first / tileWidth));
      const offset = (first % tileWidth) * hashSize;
      found.push(treeRoot(hashes.subarray(offset, offset + width * hashSize)));
      at += 2 ** height;
    }
    return foldPeaks(found);
  };

  const covered = (to: number): void => {
    if (!(to >= 0 && to <= size))
      throw new VaultError('expected-more', `the checkpoint covers ${size} entries, not ${to}`);
  };

  return {
    hashes: authentic,
    bundle(index) {
      const width = Math.min(tileWidth, size - index * tileWidth);
      const tile: Tile = { level: 'entries', index, width };
      const { entries, hashes } = bundleNow(tile);
      if (!hashes.equals(authentic(0, index).subarray(0, hashes.length))) throw changed(tilePath(tile));
      return entries;
    },
    inclusionPath(index, within = size) {
      covered(within);
      if (!(index >= 0 && index < within))
        throw new VaultError('expected-more', `entry ${index} is not under size ${within}`);
      const path: Buffer[] = [];
      let from = 0;
      let to = within;
      while (to - from > 1) {
        const split = from + 2 ** Math.floor(Math.log2(to - from - 1));
        if (index < split) {
          path.unshift(rangeRoot(split, to));
          to = split;
        } else {
          path.unshift(rangeRoot(from, split));
          from = split;
        }
      }
      return path;
    },
    consistencyPath(first, second) {
      covered(second);
      if (!(first >= 0 && first <= second))
        throw new VaultError('expected-more', `${first} entries are not the beginning of ${second}`);
      if (first === 0 || first === second) return [];
      // SUBPROOF of RFC 9162, from the whole tree down to where the first one ends.
      const path: Buffer[] = [];
      let from = 0;
      let to = second;
      while (first < to) {
        const split = from + 2 ** Math.floor(Math.log2(to - from - 1));
        if (first <= split) {
          path.unshift(rangeRoot(split, to));
          to = split;
        } else {
          path.unshift(rangeRoot(from, split));
          from = split;
        }
      }
      // A first tree that is a node of the second is not repeated in the proof.
      if (from > 0) path.unshift(rangeRoot(from, to));
      return path;
    },
    rootAt(to) {
      covered(to);
      return rangeRoot(0, to);
    },
  };
};

const readTile = (vault: string, tile: Tile): Buffer => {
  const bytes = readFile(vault, tile);
  const wanted = tile.width * hashSize;
  if (bytes.length < wanted) throw changed(tilePath(tile));
  return bytes.subarray(0, wanted);
};

/** A partial tile gives way to the full one, which begins with the same hashes. */
const readFile = (vault: string, tile: Tile): Buffer => {
  const path = tilePath(tile);
  try {
    return readFileSync(join(vault, path));
  } catch (error) {
    if (systemCode(error) === 'ENOENT' && tile.width < tileWidth)
      return readFile(vault, { ...tile, width: tileWidth });
    throw new VaultError('corrupt', `cannot read ${path}: ${messageOf(error)}. Run "holdfast vault verify"`, {
      cause: error,
    });
  }
};

const parse = (tile: Tile, bytes: Buffer, width: number): Buffer[] => {
  try {
    return parseBundle(bytes, width);
  } catch {
    // It may be the full bundle that has taken the place of a partial one.
    try {
      return parseBundle(bytes, tileWidth).slice(0, width);
    } catch (error) {
      throw new VaultError('corrupt', `${tilePath(tile)}: ${messageOf(error)}`, { cause: error });
    }
  }
};

const changed = (path: string): VaultError =>
  new VaultError('corrupt', `${path} is not what the checkpoint covers. Run "holdfast vault verify"`);
