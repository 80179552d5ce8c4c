import { join } from 'node:path';
import type { Checkpoint } from '#vault/checkpoint';
import {
  edgeTiles,
  hashSize,
  leafHash,
  levelCount,
  maxBundle,
  parseBundle,
  tilePath,
  tileWidth,
  type Tile,
} from '#vault/tree';
import { isHistoryBeyond, newBeyondCheck } from './beyond.ts';
import { readBounded, type Listing } from './files.ts';
import type { History } from './history.ts';
import type { PendingCommit } from './pending.ts';
import { messageOf, type Findings } from './report.ts';

type Checking = {
  vault: string;
  listing: Listing;
  /** Sizes of every checkpoint that was published, ascending. */
  published: readonly number[];
  history: History;
  target: Checkpoint;
  /** The commit that is pending now. */
  pending: () => PendingCommit | null;
  /** The true rows at the right edge, by level. */
  edge: readonly (Buffer | null)[];
  findings: Findings;
  hasMovedOn: () => boolean;
};

/**
 * Everything in the vault that neither a full tile nor the newest checkpoint needs: partial tiles of earlier
 * checkpoints (kept until the full tile exists, so they must be there and be right), what lies beyond the checkpoint
 * (not committed: nothing wrong if it is of a commit), and the rest, which does not belong.
 * @returns how many files are not committed
 */
export const checkLeftovers = (checking: Checking): number => {
  const { listing, published, target, findings, hasMovedOn } = checking;
  const { size } = target;
  const expected = earlierPartials(published, size);
  const beyond = newBeyondCheck(checking);
  for (const [file, known] of listing.files) {
    switch (known.kind) {
      case 'checkpoint':
        break;
      case 'staging':
        beyond.staging(file);
        break;
      case 'segment':
        if (known.entry >= size) beyond.segment(file, known.entry);
        break;
      case 'history':
        if (isHistoryBeyond(known.index, size)) beyond.historyFile(file);
        break;
      case 'tile':
        if (isBeyond(known.tile, size)) {
          beyond.tile(file);
        } else if (known.tile.width < tileWidth && !isCurrent(known.tile, size)) {
          if (isReplaced(known.tile, size)) checkReplaced(file, known.tile, checking);
          else if (expected.has(file)) checkPartial(file, known.tile, checking);
          else findings.add({ file, what: 'unexpected: no checkpoint of this size was published' });
        }
        break;
    }
  }
  for (const file of expected) {
    if (!listing.files.has(file) && !findings.has(file) && !hasMovedOn())
      findings.add({ file, what: 'missing: a published checkpoint needs it' });
  }
  beyond.history();
  return beyond.uncommitted();
};

const levelOf = ({ level }: Tile): number => (level === 'entries' ? 0 : level);

/** Index of the partial tile at the right edge of a log of this size. */
const edgeIndex = (size: number, level: number): number => Math.floor(levelCount(size, level) / tileWidth);

const isBeyond = (tile: Tile, size: number): boolean => {
  const count = levelCount(size, levelOf(tile));
  return tile.index * tileWidth + tile.width > count;
};

const isCurrent = (tile: Tile, size: number): boolean =>
  tile.index * tileWidth + tile.width === levelCount(size, levelOf(tile));

/** The full tile exists. */
const isReplaced = (tile: Tile, size: number): boolean => tile.index < edgeIndex(size, levelOf(tile));

/** Paths of the partial tiles that checkpoints before this one have at today's right edge. */
const earlierPartials = (published: readonly number[], size: number): Set<string> => {
  const found = new Set<string>();
  const now = new Map(edgeTiles(size).map((tile) => [tile.level, tile]));
  for (const earlier of published) {
    if (earlier >= size) break;
    for (const tile of edgeTiles(earlier)) {
      if (tile.index !== edgeIndex(size, tile.level) || tile.width === now.get(tile.level)?.width) continue;
      found.add(tilePath(tile));
      if (tile.level === 0) found.add(tilePath({ ...tile, level: 'entries' }));
    }
  }
  return found;
};

/** A keeper removes these right after it has published; until then they must at least be true. */
const checkReplaced = (
  file: string,
  tile: Tile,
  { vault, published, findings, hasMovedOn }: Checking,
): void => {
  const level = levelOf(tile);
  const isPublished = published.some((size) =>
    edgeTiles(size).some(
      (other) => other.level === level && other.index === tile.index && other.width === tile.width,
    ),
  );
  const bytes = readQuietly(join(vault, file));
  if (bytes === null) return;
  const full = readQuietly(join(vault, tilePath({ ...tile, width: tileWidth })));
  const isTrue = full !== null && bytes.length > 0 && bytes.equals(full.subarray(0, bytes.length));
  if (!isPublished || !isTrue)
    findings.add({ file, what: 'unexpected: the full tile exists, and this is no part of it' });
  else if (!hasMovedOn() && !isRecent(tile, published))
    findings.add({ file, what: 'unexpected: the full tile exists' });
};

/** Completed by the newest commit: a crash, or a keeper that is at it, may have left the partial ones. */
const isRecent = (tile: Tile, published: readonly number[]): boolean => {
  const before = published.at(-2) ?? 0;
  return tile.index >= edgeIndex(before, levelOf(tile));
};

const checkPartial = (file: string, tile: Tile, { vault, edge, findings, hasMovedOn }: Checking): void => {
  const row = edge[levelOf(tile)];
  try {
    const bytes = readBounded(join(vault, file), maxBundle);
    if (bytes === null) {
      if (!hasMovedOn()) findings.add({ file, what: 'missing: a published checkpoint needs it' });
      return;
    }
    const hashes =
      tile.level === 'entries' ? Buffer.concat(parseBundle(bytes, tile.width).map(leafHash)) : bytes;
    if (hashes.length !== tile.width * hashSize) {
      findings.add({ file, what: `${bytes.length} bytes instead of ${tile.width * hashSize}` });
    } else if (row !== undefined && row !== null && !hashes.equals(row.subarray(0, hashes.length))) {
      findings.add({ file, what: 'changed: it is not the beginning of the tile under the root' });
    }
  } catch (error) {
    findings.add({ file, what: `changed: ${messageOf(error)}` });
  }
};

const readQuietly = (path: string): Buffer | null => {
  try {
    return readBounded(path, maxBundle);
  } catch {
    return null;
  }
};
