import { join } from 'node:path';
import {
  edgeWidth,
  hashAt,
  hashSize,
  leafHash,
  levelCount,
  maxBundle,
  parseBundle,
  partialsPath,
  tilePath,
  tileWidth,
  type Tile,
} from '#vault/tree';
import { readBounded, walkVault } from './files.ts';
import { messageOf, type Findings } from './report.ts';

/** The entries of a bundle, once it is known which of them are true. */
export type CheckedBundle = {
  /** Index of the first. */
  first: number;
  width: number;
  file: string;
  /** By position, the entry under the root; `null` where no file has it. */
  entries: (Buffer | null)[];
  leaves: Buffer | null;
};

/** A row of hashes that a file gives, and what is wrong with that file if the row is not the true one. */
export type Candidate = { row: Buffer; blame: (chosen: Buffer | null) => void };

export type TilesChecking = {
  vault: string;
  size: number;
  root: Buffer;
  findings: Findings;
  /** Whether a keeper has published a larger log since. */
  hasMovedOn: () => boolean;
};

type StoredBundle = {
  file: string;
  index: number;
  width: number;
  entries: Buffer[];
  candidate: Candidate | null;
};

/** Bundles as they are stored. */
export const storedBundles = ({ vault, size, findings, hasMovedOn }: TilesChecking) => {
  const read = (index: number, width: number): StoredBundle => {
    const file = tilePath({ level: 'entries', index, width });
    const none: StoredBundle = { file, index, width, entries: [], candidate: null };
    if (width === 0) return none;
    const about = `entries ${index * tileWidth} to ${Math.min(size, (index + 1) * tileWidth) - 1}`;
    try {
      const found = readPartial(vault, { level: 'entries', index, width }, maxBundle, hasMovedOn);
      if (found === null) {
        findings.add({ file, what: `missing: ${about}` });
        return none;
      }
      const entries = parseBundle(found.bytes, found.replaced ? tileWidth : width).slice(0, width);
      // Which entries were changed is said when each is checked.
      return {
        ...none,
        entries,
        candidate: { row: Buffer.concat(entries.map(leafHash)), blame: () => undefined },
      };
    } catch (error) {
      findings.add({ file, what: `changed: ${messageOf(error)} (${about})` });
      return none;
    }
  };
  /** Entries of the partial bundles that earlier checkpoints had in this place: the same ones, as far as they go. */
  const earlier = (index: number): Buffer[][] => {
    const found: Buffer[][] = [];
    for (const other of walkVault(vault, partialsPath({ level: 'entries', index }))) {
      if (!('file' in other) || other.file.kind !== 'tile') continue;
      const { path, file } = other;
      try {
        found.push(
          parseBundle(readBounded(join(vault, path), maxBundle) ?? Buffer.alloc(0), file.tile.width),
        );
      } catch {
        // It is looked at for itself later on.
      }
    }
    return found;
  };
  return {
    read,
    /** Picks out the entries that are under `row`, from earlier bundles where this one does not have them. */
    check({ file, index, width, entries, candidate }: StoredBundle, row: Buffer | null): CheckedBundle {
      let others: Buffer[][] | null = null;
      const isTrue = (entry: Buffer | undefined, i: number): entry is Buffer =>
        entry !== undefined && row !== null && leafHash(entry).equals(hashAt(row, i));
      const wrong: number[] = [];
      const truth = Array.from({ length: width }, (_, i) => {
        const own = entries[i];
        if (isTrue(own, i)) return own;
        wrong.push(index * tileWidth + i);
        others ??= earlier(index);
        return others.map((bundle) => bundle[i]).find((entry) => isTrue(entry, i)) ?? null;
      });
      const [first] = wrong;
      if (candidate !== null && row !== null && first !== undefined) {
        const more = wrong.length > 1 ? `, nor are ${wrong.length - 1} more` : '';
        findings.add({
          file,
          entry: first,
          what: `changed: entry ${first} is not the one under the root${more}`,
        });
      }
      return { first: index * tileWidth, width, file, entries: truth, leaves: row };
    },
  };
};

/** Tiles as they are stored. */
export const storedTiles = ({ vault, size, findings, hasMovedOn }: TilesChecking) => {
  /** The tile that was asked for last, by level: its hashes are asked for one after another. */
  const last = new Map<number, { index: number; tile: Candidate | null }>();
  const read = (level: number, index: number, width: number): Candidate | null => {
    if (width === 0) return null;
    const seen = last.get(level);
    if (seen?.index === index) return seen.tile;
    const tile = load(level, index, width);
    last.set(level, { index, tile });
    return tile;
  };
  const load = (level: number, index: number, width: number): Candidate | null => {
    const file = tilePath({ level, index, width });
    const wrong = (what: string): null => {
      // A tile can be asked for again after others of its level.
      if (!findings.has(file)) findings.add({ file, what });
      return null;
    };
    try {
      const found = readPartial(vault, { level, index, width }, tileWidth * hashSize, hasMovedOn);
      if (found === null) return wrong('missing');
      const expected = (found.replaced ? tileWidth : width) * hashSize;
      const length = found.bytes.length;
      if (length !== expected)
        return wrong(
          `${length < expected ? 'truncated' : 'too long'}: ${length} bytes instead of ${expected}`,
        );
      return {
        row: found.bytes.subarray(0, width * hashSize),
        blame: () => wrong('changed: its hashes are not those under the root'),
      };
    } catch (error) {
      return wrong(`cannot be read: ${messageOf(error)}`);
    }
  };
  return {
    read,
    /** The hash at `position` of a level, as its tile has it; `null` if the log has none there. */
    hash(level: number, position: number): Buffer | null {
      if (position >= levelCount(size, level)) return null;
      const index = Math.floor(position / tileWidth);
      const width =
        index === Math.floor(levelCount(size, level) / tileWidth) ? edgeWidth(size, level) : tileWidth;
      const tile = read(level, index, width);
      return tile === null ? null : hashAt(tile.row, position % tileWidth);
    },
  };
};

/** A partial file, or the full one by which a keeper has replaced it since the checkpoint was read (`replaced`). */
const readPartial = (
  vault: string,
  tile: Tile,
  limit: number,
  hasMovedOn: () => boolean,
): { bytes: Buffer; replaced: boolean } | null => {
  const bytes = readBounded(join(vault, tilePath(tile)), limit);
  if (bytes !== null) return { bytes, replaced: false };
  if (tile.width === tileWidth || !hasMovedOn()) return null;
  const full = readBounded(join(vault, tilePath({ ...tile, width: tileWidth })), limit);
  return full === null ? null : { bytes: full, replaced: true };
};
