import { readFileSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, systemCode } from '#base/errors';
import {
  lastHistoryNote,
  openCheckpoint,
  parseCheckpoint,
  parseLock,
  parseNote,
  type Checkpoint,
  type Vkey,
} from '#vault/checkpoint';
import type { Durable } from '#vault/durable';
import { formatListed, splitListed } from '#vault/intake';
import {
  amendmentsPath,
  checkStaging,
  historyPath,
  levelCount,
  loadEdge,
  maxLevel,
  maxUncommitted,
  parseBundle,
  parseEntry,
  parseStaging,
  partialsPath,
  segmentPath,
  sha256,
  stagingName,
  tilePath,
  tileWidth,
  VaultFormatError,
  type Edge,
  type Entry,
} from '#vault/tree';
import { VaultError } from '../errors.ts';
import { readListed } from './amendment-list.ts';
import { applyStaged, dropBundles, dropStaging } from './apply.ts';
import { keyFiles } from './keys.ts';
import { uncommittedRevisions } from './revision-mark.ts';

export type Recovered = {
  edge: Edge;
  checkpoint: Checkpoint;
  /** The lines of the lock record but that for the list of amendments. */
  intake: string;
  /** `vault/amendments`; empty where there is none. */
  amendments: Buffer;
  lockBytes: Buffer;
  /** Bytes of the history file of the newest checkpoint. */
  historyEnd: number;
  /** A commit that had passed its commit point was completed. */
  recovered: boolean;
};

type Recovering = { vault: string; keys: string; vkey: Vkey; durable: Durable };

/**
 * Brings the published state up to the signer's memory, or refuses. Nothing is written before everything that will be
 * published is known to give the root that was signed.
 * @throws VaultError
 */
export const recover = async ({ vault, keys, vkey, durable }: Recovering): Promise<Recovered> => {
  const lockFile = keyFiles(keys).lock;
  const lockBytes = await readFile(lockFile);
  const lock = blame(lockFile, () => parseLock(lockBytes));
  const signed = blame(lockFile, () => openCheckpoint(lock.note, vkey));
  const publishedFile = join(vault, 'checkpoint');
  const publishedBytes = await readFile(publishedFile);
  assertNotPutBack(publishedFile, publishedBytes, signed, vkey);
  const published = blame(publishedFile, () => openCheckpoint(publishedBytes, vkey));

  if (published.size > signed.size) {
    throw new VaultError(
      'signer-behind',
      `${publishedFile} has size ${published.size}, but the signer remembers only ${signed.size}: keys/ was put back to an older state. ` +
        `Restore ${lockFile} of that time, never sign again from here`,
    );
  }
  if (published.size === signed.size && !published.note.equals(signed.note)) {
    throw new VaultError(
      'fork',
      `${publishedFile} and ${lockFile} name different trees of size ${signed.size}. Keep both for examination`,
    );
  }
  await durable.makeDirectory(join(vault, 'staging'));
  const behind = published.size < signed.size;
  const { position, listed } = splitListed(lock.intake);
  if (behind) await replay({ vault, durable, published, signed, listed });
  const amendments = readListed(vault, listed);

  const read = (path: string): Buffer => readFileSync(join(vault, path));
  const edge = blame(vault, () => loadEdge(read, signed.size, signed.root));
  blame(vault, () => checkLastCommit(read, signed.size));
  const historyFile = join(vault, historyPath(signed.size));
  const historyEnd = blame(historyFile, () => {
    const bytes = readFileSync(historyFile);
    if (!lastHistoryNote(bytes).equals(signed.note))
      throw new VaultFormatError('the newest checkpoint is not its last');
    return bytes.length;
  });

  await dropBundles({ vault, durable });
  await removeUncommitted(vault, durable, signed.size);
  await removeUnfinished(keys, durable);
  await dropStaging({ vault, durable, replaced: behind ? [] : lastFullTiles(signed.size) });
  return {
    edge,
    checkpoint: signed,
    intake: position,
    amendments,
    lockBytes,
    historyEnd,
    recovered: behind,
  };
};

const replay = async ({
  vault,
  durable,
  published,
  signed,
  listed,
}: {
  vault: string;
  durable: Durable;
  published: Checkpoint;
  signed: Checkpoint;
  /** The line of the lock record for the list of amendments. */
  listed: string;
}): Promise<void> => {
  const bundle = join(vault, 'staging', stagingName(signed.size, signed.root));
  const bytes = await readFile(bundle).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error;
    throw new VaultError(
      'rolled-back',
      `${vault} ends at size ${published.size}, but the signer has signed size ${signed.size} and no commit is under way: ` +
        'the vault was put back to an older state. Restore the newer one; signing on from here would fork the log',
    );
  });
  const staged = blame(bundle, () => parseStaging(bytes));
  if (staged.from !== published.size) {
    throw new VaultError(
      'rolled-back',
      `${bundle} continues size ${staged.from}, but ${vault} ends at ${published.size}: it was put back to an older state`,
    );
  }
  const read = (path: string): Buffer => readFileSync(join(vault, path));
  // Of this commit, whatever became of the file; one that is shortened is not the signer's.
  const list = staged.files.find(({ path }) => path === amendmentsPath)?.bytes ?? readListed(vault, listed);
  blame(bundle, () => {
    if (formatListed(list) !== listed)
      throw new VaultFormatError('its list of amendments is not the one that the lock record names');
    for (const { index, entry } of checkStaging(staged, {
      published,
      next: signed,
      read,
      amendments: list,
    }))
      checkStored(read, index, entry);
  });
  await applyStaged({ vault, durable, staged, note: signed.note });
  await dropStaging({ vault, durable, replaced: staged.replaced });
};

/**
 * Across a rotation of the key, of two states the one knows nothing of the other's key: so a signature of that is not
 * checked, and is believed only so far that nothing goes on from here.
 * @throws VaultError `rolled-back`, `signer-behind`
 */
const assertNotPutBack = (file: string, bytes: Buffer, signed: Checkpoint, vkey: Vkey): void => {
  const { origin, size } = blame(file, () => parseCheckpoint(bytes));
  const { signatures } = blame(file, () => parseNote(bytes));
  const isOfOtherKey = signatures.every(({ name, keyId }) => name === vkey.name && !keyId.equals(vkey.keyId));
  if (!isOfOtherKey || origin !== vkey.name || size === signed.size) return;
  const found = `${file} has size ${size} and the signature of another key of this log, and the signer has signed size ${signed.size}`;
  throw size < signed.size
    ? new VaultError(
        'rolled-back',
        `${found}: the vault was put back to a state from before its key was replaced. Restore the newer one; signing on from here would fork the log`,
      )
    : new VaultError(
        'signer-behind',
        `${found}: keys/ was put back to a state from before the key was replaced. Restore keys/ of that time, never sign again from here`,
      );
};

/** The segments of the last commit, as far as the last bundle names them, are what their entries say. */
const checkLastCommit = (read: (path: string) => Buffer, size: number): void => {
  if (size === 0) return;
  const index = Math.ceil(size / tileWidth) - 1;
  const entries = parseBundle(
    read(tilePath({ level: 'entries', index, width: size % tileWidth || tileWidth })),
    size % tileWidth || tileWidth,
  ).map(parseEntry);
  const last = entries.at(-1)?.prev.size ?? 0;
  for (const [i, entry] of entries.entries()) {
    const at = index * tileWidth + i;
    if (at >= last) checkStored(read, at, entry);
  }
};

const checkStored = (read: (path: string) => Buffer, index: number, entry: Entry): void => {
  if (entry.kind !== 'batch' && entry.kind !== 'redact') return;
  const path = entry.kind === 'batch' ? segmentPath(index) : segmentPath(entry.target.entry, index);
  const stored = read(path);
  if (stored.length !== entry.segment.length || !sha256(stored).equals(entry.segment.sha256))
    throw new VaultFormatError(`${path} is not the segment that entry ${index} names`);
};

/** Segments that were written for a commit which never reached its commit point. Their lines are still in intake. */
const removeUncommitted = async (vault: string, durable: Durable, size: number): Promise<void> => {
  const left = await uncommittedRevisions(vault, size);
  for (let entry = size; entry < size + maxUncommitted; entry++) {
    const path = join(vault, segmentPath(entry));
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) left.push(path);
  }
  if (left.length > 0) await durable.remove(left);
};

/** What was left of writing a lock record when the process ended. */
const removeUnfinished = async (keys: string, durable: Durable): Promise<void> => {
  const left = (await readdir(keys))
    .filter((name) => name.startsWith('tmp-'))
    .map((name) => join(keys, name));
  if (left.length > 0) await durable.remove(left);
};

/** Partial tiles beside these may be left from a crash between publishing and cleaning up. */
const lastFullTiles = (size: number): string[] => {
  const found: string[] = [];
  const near = Math.ceil(maxUncommitted / tileWidth);
  for (let level = 0; level <= maxLevel; level++) {
    const full = Math.floor(levelCount(size, level) / tileWidth);
    for (let index = Math.max(0, full - near); index < full; index++) {
      found.push(partialsPath({ level, index }));
      if (level === 0) found.push(partialsPath({ level: 'entries', index }));
    }
  }
  return found;
};

/** A parser's complaint about a file of the vault, as the fault that it is. */
const blame = <T>(file: string, parse: () => T): T => {
  try {
    return parse();
  } catch (error) {
    if (error instanceof VaultError) throw error;
    throw new VaultError(
      'corrupt',
      `${file}: ${messageOf(error)}. The keeper does not go on; run "holdfast vault verify" and restore the file from a copy`,
      {
        cause: error,
      },
    );
  }
};
