import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '#base/errors';
import { encodeHistoryNote, maxNote, parseCheckpoint, parseHistory } from '#vault/checkpoint';
import { VaultError, type Checkpoint, type VaultReader } from '#vault/read';
import { readVaultFile } from '#vault/tiles';
import {
  historyPath,
  historySpan,
  maxBundle,
  maxSegment,
  parseVaultPath,
  segmentPath,
  sha256,
  tilePath,
  tileWidth,
  type Tile,
  witnessedPath,
} from '#vault/tree';
import { beginningOf } from './tiles.ts';

/** A vault as it was at one checkpoint, file by file. A keeper may be at work in it. */
export type Source = {
  reader: VaultReader;
  checkpoint: Checkpoint;
  /**
   * What the copy is to have at a path of a vault; `null` for nothing. Segments are held against their entry.
   * @throws VaultError `corrupt` where the vault has not what it should
   */
  bytes(path: string): Buffer | null;
  /** Whether there is such a file, whatever is in it. */
  has(path: string): boolean;
  /** Sizes of the checkpoints in the history file of a size. */
  published(size: number): number[];
  missing(path: string): VaultError;
};

export const openSource = (vault: string, reader: VaultReader, checkpoint: Checkpoint): Source => {
  const missing = (path: string): VaultError =>
    new VaultError('corrupt', `${join(vault, path)} is missing: the vault itself is damaged. ${mending}`);

  /** A partial one perhaps from the full one by which a keeper has replaced it just now. */
  const tile = (found: Tile): Buffer | null => {
    const bytes = readVaultFile(vault, tilePath(found), maxBundle);
    if (bytes !== null || found.width === tileWidth) return bytes;
    const full = readVaultFile(vault, tilePath({ ...found, width: tileWidth }), maxBundle);
    return full === null ? null : beginningOf(full, found);
  };

  const segment = (entry: number, redaction: number | null): Buffer | null => {
    const path = segmentPath(entry, redaction ?? undefined);
    if (entry >= checkpoint.size) return null;
    const [found] = reader.entries(entry, entry + 1);
    if (found === undefined || found.entry.kind !== 'batch') return null;
    const newest = reader.amendments().redaction(entry);
    if ((newest?.index ?? null) !== redaction) return null;
    const bytes = readVaultFile(vault, path, maxSegment);
    if (bytes === null) return null;
    const expected = newest?.entry.segment ?? found.entry.segment;
    if (bytes.length !== expected.length || !sha256(bytes).equals(expected.sha256))
      throw new VaultError(
        'corrupt',
        `${join(vault, path)} is not what its entry names: the vault itself is damaged. ${mending}`,
      );
    return bytes;
  };

  return {
    reader,
    checkpoint,
    missing,
    has: (path) => lstatSync(join(vault, path), { throwIfNoEntry: false }) !== undefined,
    published: (size) => historyNotes(vault, size, checkpoint.size).map((kept) => kept.size),
    bytes(path) {
      const file = parseVaultPath(path);
      switch (file?.kind) {
        case 'checkpoint':
          return checkpoint.note;
        case 'tile':
          return tile(file.tile);
        case 'segment':
          return segment(file.entry, file.redaction);
        case 'history': {
          const notes = historyNotes(vault, file.index * historySpan, checkpoint.size);
          return notes.length === 0 ? null : encodeHistory(notes);
        }
        case 'amendments': {
          const all = reader.amendments().all();
          return all.length === 0 ? null : Buffer.from(all.map(({ index }) => `${index}\n`).join(''));
        }
        case 'witnessed': {
          // Unless it is newer than what is copied.
          const note = readVaultFile(vault, witnessedPath, maxNote);
          return note === null || parseCheckpoint(note).size > checkpoint.size ? null : note;
        }
        default:
          return null;
      }
    },
  };
};

const mending =
  'Run "holdfast vault verify"; an earlier copy may mend it ("holdfast vault fsck --from COPY")';

export type KeptNote = { size: number; note: Buffer };

/** The checkpoints of the history file of a size, as far as those of `upTo`. */
export const historyNotes = (vault: string, size: number, upTo: number): KeptNote[] =>
  parseHistory(readIfThere(join(vault, historyPath(size))) ?? Buffer.alloc(0))
    .notes.map((note) => ({ size: parseCheckpoint(note).size, note }))
    .filter((kept) => kept.size <= upTo);

/** A history file as it is in the vault, with what only an earlier copy still has: the newer one may have lost it. */
export const withEarlier = ({ bytes, checkpoint }: Source, to: string, path: string): Buffer => {
  const now = bytes(path);
  const notes = new Map<number, KeptNote>();
  for (const stored of [readIfThere(join(to, path)), now]) {
    for (const note of parseHistory(stored ?? Buffer.alloc(0)).notes) {
      const size = sizeOf(note);
      if (size !== null && size <= checkpoint.size && historyPath(size) === path)
        notes.set(size, { size, note });
    }
  }
  return encodeHistory([...notes.values()].sort((a, b) => a.size - b.size));
};

const sizeOf = (note: Buffer): number | null => {
  try {
    return parseCheckpoint(note).size;
  } catch {
    return null;
  }
};

const encodeHistory = (notes: readonly KeptNote[]): Buffer =>
  Buffer.concat(notes.map(({ note }) => encodeHistoryNote(note)));

export const readIfThere = (path: string): Buffer | null => {
  try {
    return readFileSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
};
