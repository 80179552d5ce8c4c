import {
  encodeHistoryNote,
  maxNote,
  openCheckpoint,
  parseCheckpoint,
  parseHistory,
  parseVkey,
} from '#vault/checkpoint';
import { openVault, type OuterEntry, type VaultReader } from '#vault/read';
import { readVaultFile } from '#vault/tiles';
import {
  encodeBundleEntry,
  hashSize,
  historyPath,
  historySpan,
  isAmendment,
  levelCount,
  maxSegment,
  parseVaultPath,
  segmentPath,
  sha256,
  tileWidth,
  witnessedPath,
  type BatchEntry,
  type ExpireEntry,
  type RedactEntry,
  type Tile,
} from '#vault/tree';
import type { GoodCopy, Goal } from './goal.ts';

/** What a log says of one of its batches: where its lines are now, and what must not be there any more. */
export type SegmentPlace = {
  /** `null` where the lines expired. */
  path: string | null;
  segment: { sha256: Buffer; length: number };
  /** Whether a segment file of this entry is one that was removed under an entry of the log. */
  isWithdrawn(path: string): boolean;
};

/** What the vault is to have when it has reached its goal, as far as the copy, or what is left of the vault, gives it. */
export type Content = {
  /** `null`: nothing is known, or the copy does not have it. */
  bytes(path: string): Buffer | null;
  /** Of the batch entry at an index; `null` for no batch, and where the whole log cannot be read. */
  place(entry: number): SegmentPlace | null;
};

/**
 * Nothing is given out that was not followed to a signed root just now: tiles and bundles are made of hashes and entries
 * under the copy's checkpoint, a segment is what its entry names, a checkpoint what the entry after it names.
 */
export const openContent = (vault: string, vkey: string, copy: GoodCopy, goal: Goal): Content => {
  const most = Math.min(goal.size, copy.checkpoint.size);
  // The one of the two that has all of the log. Amendments that only the other one knows must not be missed.
  const log = copy.checkpoint.size >= goal.size ? copy.reader : openVault(vault, { vkey });
  const amendments = readAmendments(log, goal.size);

  let block: { first: number; entries: OuterEntry[] } = { first: -1, entries: [] };
  /** One block of entries is in memory: they are asked for one after another. */
  const entryAt = (index: number): OuterEntry | null => {
    const first = index - (index % tileWidth);
    if (block.first !== first) block = { first, entries: blockAt(first) };
    return block.entries[index - first] ?? null;
  };
  const blockAt = (first: number): OuterEntry[] => {
    const end = Math.min(first + tileWidth, goal.size);
    try {
      return end <= first ? [] : (end <= most ? copy.reader : log).entries(first, end);
    } catch {
      return [];
    }
  };

  const tile = ({ level, index, width }: Tile): Buffer | null => {
    if (index * tileWidth + width > levelCount(most, level === 'entries' ? 0 : level)) return null;
    return level === 'entries'
      ? Buffer.concat(copy.tiles.bundle(index).slice(0, width).map(encodeBundleEntry))
      : copy.tiles.hashes(level, index).subarray(0, width * hashSize);
  };

  const place = (index: number): SegmentPlace | null => {
    const entry = entryAt(index)?.entry;
    return amendments === null || entry?.kind !== 'batch' || index >= goal.size
      ? null
      : placeOf(index, entry, amendments);
  };

  const segment = (path: string, entry: number): Buffer | null => {
    const found = place(entry);
    if (found === null || found.path !== path) return null;
    const bytes = readVaultFile(copy.vault, path, maxSegment);
    return bytes?.length === found.segment.length && sha256(bytes).equals(found.segment.sha256)
      ? bytes
      : null;
  };

  /** The newest checkpoint that is to be published. */
  const newest = (): Buffer | null => {
    if (goal.size > most) return null;
    const { checkpoint, vault: from } = copy;
    if (goal.size === checkpoint.size) return checkpoint.note;
    if (goal.signed?.size === goal.size) return goal.signed.note;
    const note = notesOf(from, historyPath(goal.size)).get(goal.size);
    const [next] = copy.reader.entries(goal.size, goal.size + 1);
    return note !== undefined && next?.entry.prev.sha256.equals(sha256(note)) === true ? note : null;
  };

  /** The checkpoints that entries name, from wherever they still are. */
  const history = (index: number): Buffer | null => {
    const path = historyPath(index * historySpan);
    const stored = [copy.vault, vault].map((from) => notesOf(from, path));
    const found: Buffer[] = [];
    for (let size = index * historySpan; size <= goal.size && size < (index + 1) * historySpan; size++) {
      if (size === goal.size) {
        const last = newest() ?? currentCheckpoint(vault, vkey, size);
        if (last !== null) found.push(encodeHistoryNote(last));
        break;
      }
      const next = entryAt(size)?.entry.prev;
      if (next === undefined) return null;
      if (next.size !== size) continue;
      const note = stored
        .map((notes) => notes.get(size))
        .find((one) => one && sha256(one).equals(next.sha256));
      if (note !== undefined) found.push(encodeHistoryNote(note));
    }
    return found.length === 0 ? null : Buffer.concat(found);
  };

  const witnessed = (): Buffer | null => {
    const note = readVaultFile(copy.vault, witnessedPath, maxNote);
    if (note === null) return null;
    const { size, root } = parseCheckpoint(note);
    return size <= most && copy.tiles.rootAt(size).equals(root) ? note : null;
  };

  return {
    place,
    bytes(path) {
      const file = parseVaultPath(path);
      switch (file?.kind) {
        case 'checkpoint':
          return newest();
        case 'tile':
          return tile(file.tile);
        case 'segment':
          return segment(path, file.entry);
        case 'history':
          return history(file.index);
        case 'amendments':
          return amendments === null || amendments.length === 0
            ? null
            : Buffer.from(amendments.map(({ index }) => `${index}\n`).join(''));
        case 'witnessed':
          return witnessed();
        default:
          return null;
      }
    },
  };
};

type Amending = Pick<OuterEntry, 'index' | 'entry'>;

/** All amendments of a log, from its entries and not from the list; `null` where not every entry can be read. */
const readAmendments = (reader: VaultReader, size: number): Amending[] | null => {
  const found: Amending[] = [];
  try {
    for (let first = 0; first < size; first += tileWidth)
      for (const { index, entry } of reader.entries(first, Math.min(size, first + tileWidth)))
        if (isAmendment(entry)) found.push({ index, entry });
    return found;
  } catch {
    return null;
  }
};

const placeOf = (index: number, entry: BatchEntry, amendments: readonly Amending[]): SegmentPlace => {
  let redaction: { index: number; entry: RedactEntry } | null = null;
  let expiry: ExpireEntry | null = null;
  for (const { index: at, entry: amendment } of amendments) {
    if (amendment.kind === 'redact' && amendment.target.entry === index)
      redaction = { index: at, entry: amendment };
    if (
      amendment.kind === 'expire' &&
      index < at &&
      index >= amendment.entries.first &&
      index < amendment.entries.end &&
      amendment.class === entry.class
    )
      expiry ??= amendment;
  }
  const current = segmentPath(index, redaction?.index);
  const path = expiry === null ? current : null;
  return {
    path,
    segment: redaction?.entry.segment ?? entry.segment,
    isWithdrawn: (other) => {
      const file = parseVaultPath(other);
      return file?.kind === 'segment' && file.entry === index && other !== path;
    },
  };
};

/** By size; where a size comes twice the last. Nothing of them was checked. */
export const notesOf = (vault: string, path: string): ReadonlyMap<number, Buffer> => {
  const found = new Map<number, Buffer>();
  try {
    const bytes = readVaultFile(vault, path, historySpan * (2 + maxNote)) ?? Buffer.alloc(0);
    for (const note of parseHistory(bytes).notes) {
      try {
        found.set(parseCheckpoint(note).size, note);
      } catch {
        // The others are still of use.
      }
    }
  } catch {
    // One that cannot be read has nothing.
  }
  return found;
};

const currentCheckpoint = (vault: string, vkey: string, size: number): Buffer | null => {
  try {
    const note = readVaultFile(vault, 'checkpoint', maxNote);
    return note !== null && openCheckpoint(note, parseVkey(vkey)).size === size ? note : null;
  } catch {
    return null;
  }
};
