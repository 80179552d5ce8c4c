import { existsSync, readFileSync, statSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '#base/errors';
import {
  encodeHistoryNote,
  openCheckpoint,
  parseCheckpoint,
  parseHistory,
  parseVkey,
} from '#vault/checkpoint';
import { openDurable, type Durable } from '#vault/durable';
import { openVault, VaultError, type Checkpoint, type OuterEntry, type VaultReader } from '#vault/read';
import {
  amendmentsPath,
  historyPath,
  historySpan,
  segmentPath,
  tilePath,
  tileWidth,
  witnessedPath,
  type Tile,
} from '#vault/tree';
import { beginningOf, fullTiles, newPartialTiles, replacedPartials } from './tiles.ts';

export type ExportOptions = {
  /** vault/ of a state directory; a keeper may be at work in it. */
  vault: string;
  /** Text of its public key. */
  vkey: string;
  /**
   * Becomes a state directory of its own, with `vault/` and `keys/vault.vkey`: what `vault verify --state` takes. An
   * earlier export of the same vault is brought up to date.
   */
  target: string;
  onProgress?: (progress: ExportProgress) => void;
};

/** Outer entries copied, of how many. */
export type ExportProgress = { entries: number; size: number };

export type Exported = {
  origin: string;
  size: number;
  /** Of the copy before; 0 for a new one. */
  from: number;
  /** Files written. */
  files: number;
  bytes: number;
  /** Files removed from an earlier export because their lines expired or were redacted since. */
  removed: number;
};

/** Segments that are copied at once. */
const parallel = 8;

/**
 * Copies a vault, up to the checkpoint that is the newest when it begins, into a directory of its own. Everything that
 * proves goes with it, and nothing that signs: neither private key nor lock record. What expired or was redacted since
 * an earlier export goes from the copy too. `checkpoint` is written last, so a copy that was cut short is at worst an
 * older one.
 * @throws VaultError `absent`; `fork` where the target holds another log; `rolled-back` where it holds a newer state
 *   of this one; `corrupt`; `no-space`; system errors
 */
export const exportVault = async ({ vault, vkey, target, onProgress }: ExportOptions): Promise<Exported> => {
  const reader = openVault(vault, { vkey });
  const checkpoint = reader.checkpoint();
  if (checkpoint === null) throw new VaultError('absent', `no vault in ${vault}`);
  const to = join(target, 'vault');
  const copy = await beginCopy(to);
  const from = earlierSize(vault, to, checkpoint, vkey);
  const partials = newPartialTiles(checkpoint.size);
  for (let first = 0; first <= checkpoint.size; first += historySpan) {
    const notes = historyFile(vault, first, checkpoint.size);
    for (const { size } of notes) partials.add(size);
    // A file that is full in the earlier export has not changed since.
    if (first + historySpan > from) await copy.write(historyPath(first), encodeHistory(notes));
  }
  for (const tile of fullTiles(from, checkpoint.size))
    await copy.write(tilePath(tile), readTile(vault, tile));
  const removed = await copySegments({
    vault,
    reader,
    checkpoint,
    copy,
    to,
    ...(onProgress ? { onProgress } : {}),
  });
  for (const tile of partials.all()) await copy.write(tilePath(tile), readTile(vault, tile));
  const amendments = reader.amendments().all();
  if (amendments.length > 0)
    await copy.write(amendmentsPath, Buffer.from(amendments.map(({ index }) => `${index}\n`).join('')));
  const witnessed = readWitnessed(vault, checkpoint.size);
  if (witnessed !== null) await copy.write(witnessedPath, witnessed);
  await copyKey(target, vkey);
  await copy.write('checkpoint', checkpoint.note);
  for (const directory of replacedPartials(from, checkpoint.size))
    await rm(join(to, directory), { recursive: true, force: true });
  await rm(join(to, 'staging'), { recursive: true, force: true });
  return { origin: checkpoint.origin, size: checkpoint.size, from, ...copy.written(), removed };
};

type Copy = {
  /** Writes the file unless it is there with that length and never changes. */
  write(path: string, bytes: Buffer): Promise<void>;
  remove(path: string): Promise<void>;
  written(): { files: number; bytes: number };
};

const beginCopy = async (to: string): Promise<Copy> => {
  const scratch = join(to, 'staging');
  const durable: Durable = openDurable({ scratch });
  await durable.makeDirectory(scratch);
  const written = { files: 0, bytes: 0 };
  return {
    async write(path, bytes) {
      await durable.write(join(to, path), bytes);
      written.files += 1;
      written.bytes += bytes.length;
    },
    remove: (path) => durable.remove([join(to, path)]),
    written: () => written,
  };
};

type Kept = { size: number; note: Buffer };

/** The checkpoints of the history file that begins with size `first`, as far as those of `upTo`. */
const historyFile = (vault: string, first: number, upTo: number): Kept[] =>
  parseHistory(readIfThere(join(vault, historyPath(first))) ?? Buffer.alloc(0))
    .notes.map((note) => ({ size: parseCheckpoint(note).size, note }))
    .filter(({ size }) => size <= upTo);

const encodeHistory = (notes: readonly Kept[]): Buffer =>
  Buffer.concat(notes.map(({ note }) => encodeHistoryNote(note)));

/** Size of the earlier export in the target, which must be of this log's past; 0 where there is none. */
const earlierSize = (vault: string, to: string, checkpoint: Checkpoint, vkey: string): number => {
  const bytes = readIfThere(join(to, 'checkpoint'));
  if (bytes === null) return 0;
  const earlier = parseCheckpoint(bytes);
  if (earlier.origin !== checkpoint.origin)
    throw new VaultError('fork', `${to} holds another log (${earlier.origin}): choose another directory`);
  if (earlier.size > checkpoint.size)
    throw new VaultError(
      'rolled-back',
      `${to} has size ${earlier.size}, the vault only ${checkpoint.size}: ${signedText(bytes, vkey)}. ` +
        'Nothing was written; keep this copy',
    );
  const first = Math.floor(earlier.size / historySpan) * historySpan;
  const published = historyFile(vault, first, earlier.size).at(-1);
  if (published?.note.equals(bytes) !== true)
    throw new VaultError(
      'fork',
      `${to} has a checkpoint of size ${earlier.size} that this vault never published: ${signedText(bytes, vkey)}. ` +
        'Nothing was written; keep both',
    );
  return earlier.size;
};

/** What a checkpoint that contradicts the vault is worth as evidence. */
const signedText = (note: Buffer, vkey: string): string => {
  try {
    openCheckpoint(note, parseVkey(vkey));
    return 'it is signed by the vault’s own key, so the vault was put back to an older state or signed two histories';
  } catch {
    return 'it is not signed by the vault’s present key';
  }
};

type Copying = {
  vault: string;
  reader: VaultReader;
  checkpoint: Checkpoint;
  copy: Copy;
  to: string;
  onProgress?: (progress: ExportProgress) => void;
};

/** @returns how many files went because their lines expired or were redacted */
const copySegments = async (copying: Copying): Promise<number> => {
  const { reader, checkpoint, onProgress } = copying;
  let removed = 0;
  for (let first = 0; first < checkpoint.size; first += tileWidth) {
    const entries = reader.entries(first, Math.min(first + tileWidth, checkpoint.size));
    for (let at = 0; at < entries.length; at += parallel) {
      const counts = await Promise.all(
        entries.slice(at, at + parallel).map((entry) => copySegment(copying, entry)),
      );
      removed += counts.reduce((sum, count) => sum + count, 0);
    }
    onProgress?.({ entries: first + entries.length, size: checkpoint.size });
  }
  return removed;
};

const copySegment = async (
  { vault, reader, copy, to }: Copying,
  { index, entry }: OuterEntry,
): Promise<number> => {
  if (entry.kind !== 'batch') return 0;
  const amendments = reader.amendments();
  const redaction = amendments.redaction(index);
  const path = segmentPath(index, redaction?.index);
  const { length } = redaction?.entry.segment ?? entry.segment;
  const bytes = await readFile(join(vault, path)).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  });
  const others = amendments
    .all()
    .filter(({ entry: other }) => other.kind === 'redact' && other.target.entry === index)
    .map(({ index: revision }) => segmentPath(index, revision));
  const stale = [segmentPath(index), ...others].filter(
    (other) => (other !== path || bytes === null) && existsSync(join(to, other)),
  );
  if (bytes === null && amendments.expiry(index, entry) === null)
    throw new VaultError('corrupt', `${join(vault, path)} is missing. Run "holdfast vault verify"`);
  if (bytes !== null && sizeOf(join(to, path)) !== length) await copy.write(path, bytes);
  for (const other of stale) await copy.remove(other);
  return stale.length;
};

/** A tile as it is stored; a partial one perhaps from the full one by which a keeper has replaced it just now. */
const readTile = (vault: string, tile: Tile): Buffer => {
  const bytes = readIfThere(join(vault, tilePath(tile)));
  if (bytes !== null) return bytes;
  const full = readIfThere(join(vault, tilePath({ ...tile, width: tileWidth })));
  if (full === null)
    throw new VaultError('corrupt', `${join(vault, tilePath(tile))} is missing. Run "holdfast vault verify"`);
  return beginningOf(full, tile);
};

/** The cosigned checkpoint, unless it is newer than what is copied. */
const readWitnessed = (vault: string, size: number): Buffer | null => {
  const note = readIfThere(join(vault, witnessedPath));
  return note === null || parseCheckpoint(note).size > size ? null : note;
};

const copyKey = async (target: string, vkey: string): Promise<void> => {
  const keys = join(target, 'keys');
  const durable = openDurable({ scratch: keys });
  await durable.makeDirectory(keys);
  await durable.write(join(keys, 'vault.vkey'), Buffer.from(`${vkey.trim()}\n`), 0o644);
};

const readIfThere = (path: string): Buffer | null => {
  try {
    return readFileSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
};

const sizeOf = (path: string): number | null => {
  try {
    return statSync(path).size;
  } catch {
    return null;
  }
};
