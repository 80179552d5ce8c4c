import { join } from 'node:path';
import type { Checkpoint } from '#vault/checkpoint';
import {
  hashSize,
  leafHash,
  levelCount,
  maxBundle,
  parseBundle,
  tilePath,
  tileWidth,
  type Tile,
} from '#vault/tree';
import type { Kinds, Rules } from './amendments.ts';
import { checkList } from './amendment-list.ts';
import { isHistoryBeyond, newBeyondCheck } from './beyond.ts';
import { readBounded, walkVault } from './files.ts';
import type { History } from './history.ts';
import type { PendingCommit } from './pending.ts';
import { edgeIndex, levelOf, type PublishedEdges } from './published-edges.ts';
import { messageOf, type Findings } from './report.ts';
import type { Amended } from './scan.ts';
import { judgeSegmentFile } from './segment-file.ts';

export type LeftoversChecking = {
  vault: string;
  edges: PublishedEdges;
  history: History;
  target: Checkpoint;
  open: (note: Buffer) => Checkpoint;
  kinds: Kinds;
  rules: Rules;
  /** Every amendment that is under the root, and whether entries are lost that may be more. */
  amendments: readonly Amended[];
  hasLost: boolean;
  mayBeThere: (amendment: number) => boolean;
  /** The commit that is pending now. */
  pending: () => PendingCommit | null;
  /** The true rows at the right edge, by level. */
  edge: readonly (Buffer | null)[];
  findings: Findings;
  hasMovedOn: () => boolean;
};

/**
 * Walks over everything that lies in the vault, for what neither a full tile nor the newest checkpoint needs: partial
 * tiles of earlier checkpoints (kept until the full tile exists, so they must be there and be right), what lies beyond
 * the checkpoint (not committed: nothing wrong if it is of a commit), and the rest, which does not belong.
 * @returns how many files are not committed, and whether one of a commit under way was seen
 */
export const checkLeftovers = (checking: LeftoversChecking): { uncommitted: number; sawStaging: boolean } => {
  const { vault, edges, history, target, findings, hasMovedOn } = checking;
  const { size } = target;
  const expected = edges.kept(size);
  const seen = new Set<string>();
  const beyond = newBeyondCheck(checking);
  let sawStaging = false;

  const tile = (path: string, found: Tile): void => {
    if (expected.has(path)) seen.add(path);
    if (isBeyond(found, size)) {
      beyond.tile(path);
    } else if (found.width < tileWidth && !isCurrent(found, size)) {
      if (found.index < edgeIndex(size, levelOf(found))) checkReplaced(path, found, checking);
      else if (expected.has(path)) checkPartial(path, found, checking);
      else findings.add({ file: path, what: 'unexpected: no checkpoint of this size was published' });
    }
  };

  for (const found of walkVault(vault)) {
    const { path } = found;
    if (!('file' in found)) {
      findings.add({ file: path, what: found.what });
      continue;
    }
    const { file } = found;
    switch (file.kind) {
      case 'checkpoint':
      case 'witnessed':
      case 'amendments':
        break;
      case 'staging':
        sawStaging = true;
        beyond.staging(path);
        break;
      case 'segment': {
        const from = file.redaction ?? file.entry;
        if (file.entry >= size || from >= size) {
          beyond.segment(path, file.entry, from);
          break;
        }
        const what = judgeSegmentFile(file.entry, file.redaction, checking);
        if (what !== null && !(hasMovedOn() && readQuietly(join(vault, path)) === null))
          findings.add({ file: path, entry: file.entry, what });
        break;
      }
      case 'history':
        if (isHistoryBeyond(file.index, size)) beyond.historyFile(path, file.index);
        else if (history.wasRead(file.index)) {
          if (path !== history.newestPath(size)) beyond.tailOf(file.index);
        } else if (!checking.hasLost)
          findings.add({ file: path, what: 'unexpected: no checkpoint of its sizes was published' });
        break;
      case 'tile':
        tile(path, file.tile);
        break;
    }
  }
  for (const file of expected) {
    if (!seen.has(file) && !findings.has(file) && !hasMovedOn())
      findings.add({ file, what: 'missing: a published checkpoint needs it' });
  }
  beyond.newestHistory();
  checkList(checking);
  return { uncommitted: beyond.uncommitted(), sawStaging };
};

const isBeyond = (tile: Tile, size: number): boolean =>
  tile.index * tileWidth + tile.width > levelCount(size, levelOf(tile));

const isCurrent = (tile: Tile, size: number): boolean =>
  tile.index * tileWidth + tile.width === levelCount(size, levelOf(tile));

/** A keeper removes these right after it has published; until then they must at least be true. */
const checkReplaced = (
  file: string,
  tile: Tile,
  { vault, edges, findings, hasMovedOn }: LeftoversChecking,
): void => {
  const bytes = readQuietly(join(vault, file));
  if (bytes === null) return;
  const full = readQuietly(join(vault, tilePath({ ...tile, width: tileWidth })));
  const isTrue = full !== null && bytes.length > 0 && bytes.equals(full.subarray(0, bytes.length));
  // Completed by the newest commit: a crash, or a keeper that is at it, may have left the partial ones.
  const isRecent = tile.index >= edgeIndex(edges.before(), levelOf(tile));
  if (!isTrue || (isRecent && !edges.has(tile)))
    findings.add({ file, what: 'unexpected: the full tile exists, and this is no part of it' });
  else if (!hasMovedOn() && !isRecent) findings.add({ file, what: 'unexpected: the full tile exists' });
};

const checkPartial = (
  file: string,
  tile: Tile,
  { vault, edge, findings, hasMovedOn }: LeftoversChecking,
): void => {
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
