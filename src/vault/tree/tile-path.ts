import { amendmentsPath } from './amendments.ts';
import { parseDecimal } from './decimal.ts';

/** Hashes in a full tile, entries in a full bundle (C2SP tlog-tiles, tile height 8). */
export const tileWidth = 256;

/** Levels of tiles that a log of 2^53 entries can have: 0–6. */
export const maxLevel = 6;

/** A tile, or with level `entries` a bundle of entries. `width` is 1–255 for a partial one, 256 for a full one. */
export type Tile = { level: number | 'entries'; index: number; width: number };

/** C2SP tlog-tiles: groups of three digits, all but the last marked with `x`: 1234067 → `x001/x234/067`. */
export const indexPath = (index: number): string => {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) ?? [];
  return groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
};

const parseIndexPath = (path: string): number | null => {
  if (!/^(?:x[0-9]{3}\/){0,5}[0-9]{3}$/.test(path)) return null;
  const index = parseDecimal(path.replace(/[x/]/g, '').replace(/^0+(?=[0-9])/, ''));
  return index !== null && indexPath(index) === path ? index : null;
};

/** Path of a tile, relative to the vault. */
export const tilePath = ({ level, index, width }: Tile): string =>
  `tile/${level}/${indexPath(index)}${width === tileWidth ? '' : `.p/${width}`}`;

/** Directory that holds the partial tiles which a full tile replaces. */
export const partialsPath = ({ level, index }: Pick<Tile, 'level' | 'index'>): string =>
  `tile/${level}/${indexPath(index)}.p`;

/**
 * Path of the stored batch of an outer entry, relative to the vault.
 * @param redaction index of the redact entry that names this revision; left out for the batch as it was committed
 */
export const segmentPath = (entry: number, redaction?: number): string =>
  `segment/${indexPath(entry)}${redaction === undefined ? '' : `.r${redaction}`}.zst`;

/** Checkpoints of sizes 4096·n … 4096·n + 4095 are kept together in history file n. */
export const historySpan = 4096;

/** Path of the history file that keeps the checkpoint of a size. */
export const historyPath = (size: number): string => `history/${indexPath(Math.floor(size / historySpan))}`;

/** Path of the newest checkpoint that enough witnesses have cosigned. */
export const witnessedPath = 'checkpoint.witnessed';

/** What a file of a vault is, by its path. */
export type VaultFile =
  | { kind: 'checkpoint' }
  | { kind: 'tile'; tile: Tile }
  /** The newest checkpoint that enough witnesses have cosigned. */
  | { kind: 'witnessed' }
  | { kind: 'amendments' }
  /** `redaction`: index of the redact entry that names this revision; `null` for the batch as it was committed. */
  | { kind: 'segment'; entry: number; redaction: number | null }
  | { kind: 'history'; index: number }
  | { kind: 'staging' };

/** `null` for a path that no file of a vault has. */
export const parseVaultPath = (path: string): VaultFile | null => {
  if (path === 'checkpoint') return { kind: 'checkpoint' };
  if (path === witnessedPath) return { kind: 'witnessed' };
  if (path === amendmentsPath) return { kind: 'amendments' };
  if (/^staging\/[^/]+$/.test(path)) return { kind: 'staging' };
  const segment = /^segment\/([x0-9/]+)(?:\.r([0-9]+))?\.zst$/.exec(path);
  if (segment !== null) {
    const entry = parseIndexPath(segment[1] ?? '');
    const redaction = segment[2] === undefined ? null : parseDecimal(segment[2]);
    return entry === null || (segment[2] !== undefined && redaction === null)
      ? null
      : { kind: 'segment', entry, redaction };
  }
  const history = /^history\/(.+)$/.exec(path);
  if (history !== null) {
    const index = parseIndexPath(history[1] ?? '');
    return index === null ? null : { kind: 'history', index };
  }
  const tile = /^tile\/([0-6]|entries)\/([x0-9/]+)(?:\.p\/([1-9][0-9]{0,2}))?$/.exec(path);
  if (tile === null) return null;
  const index = parseIndexPath(tile[2] ?? '');
  const width = tile[3] === undefined ? tileWidth : Number(tile[3]);
  if (index === null || (tile[3] !== undefined && width >= tileWidth)) return null;
  return { kind: 'tile', tile: { level: tile[1] === 'entries' ? 'entries' : Number(tile[1]), index, width } };
};

/** Hashes at `level` of the tiles of a log of `size` entries: floor(size / 256^level). */
export const levelCount = (size: number, level: number): number => Math.floor(size / tileWidth ** level);

/** Width of the right-most, partial tile at `level`; 0 if the last tile there is full or there is none. */
export const edgeWidth = (size: number, level: number): number => levelCount(size, level) % tileWidth;

/** The right-edge tiles of a log of `size` entries, from the highest level down: together they give its root. */
export const edgeTiles = (size: number): { level: number; index: number; width: number }[] => {
  const found = [];
  for (let level = maxLevel; level >= 0; level--) {
    const width = edgeWidth(size, level);
    if (width > 0) found.push({ level, index: Math.floor(levelCount(size, level) / tileWidth), width });
  }
  return found;
};
