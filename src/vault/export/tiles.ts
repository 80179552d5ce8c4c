import {
  edgeTiles,
  hashSize,
  levelCount,
  maxLevel,
  parseBundle,
  partialsPath,
  tilePath,
  tileWidth,
  type Tile,
} from '#vault/tree';

/** Full tiles and bundles of a log of `to` entries that one of `from` entries does not have; bundles first, then up. */
export const fullTiles = function* (from: number, to: number): Generator<Tile> {
  for (const level of ['entries', ...Array(maxLevel + 1).keys()] as const) {
    const height = level === 'entries' ? 0 : level;
    const first = Math.floor(levelCount(from, height) / tileWidth);
    const end = Math.floor(levelCount(to, height) / tileWidth);
    for (let index = first; index < end; index++) yield { level, index, width: tileWidth };
  }
};

/** Directories of partial tiles that the full tiles of `fullTiles` replace. */
export const replacedPartials = (from: number, to: number): string[] => {
  const found: string[] = [];
  for (const tile of fullTiles(from, to)) found.push(partialsPath(tile));
  return found;
};

/**
 * Collects the partial tiles and bundles that a log of `size` entries keeps: those of its own right edge, and those that
 * the checkpoints before it had in the same places.
 */
export const newPartialTiles = (
  size: number,
): {
  /** Takes in the size of a published checkpoint. */
  add(published: number): void;
  all(): Tile[];
} => {
  const found = new Map<string, Tile>();
  const add = (published: number): void => {
    for (const tile of edgeTiles(published)) {
      if (tile.index !== Math.floor(levelCount(size, tile.level) / tileWidth)) continue;
      found.set(tilePath(tile), tile);
      if (tile.level > 0) continue;
      const bundle: Tile = { ...tile, level: 'entries' };
      found.set(tilePath(bundle), bundle);
    }
  };
  add(size);
  return { add, all: () => [...found.values()] };
};

/** What a partial tile held, from the full one that has replaced it since. @throws VaultFormatError */
export const beginningOf = (full: Buffer, { level, width }: Tile): Buffer => {
  if (level !== 'entries') return full.subarray(0, width * hashSize);
  const entries = parseBundle(full, tileWidth).slice(0, width);
  return full.subarray(
    0,
    entries.reduce((length, entry) => length + 2 + entry.length, 0),
  );
};
