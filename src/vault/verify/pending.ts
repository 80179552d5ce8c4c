import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseHistory, type Checkpoint } from '#vault/checkpoint';
import {
  amendmentsPath,
  checkStaging,
  historyPath,
  maxAmendments,
  maxBundle,
  maxSegment,
  maxStaging,
  parseStaging,
  parseStagingName,
  segmentPath,
  sha256,
  stagingName,
  VaultFormatError,
  type Entry,
  type Staged,
} from '#vault/tree';
import { readBounded } from './files.ts';
import { maxHistoryFile } from './history.ts';
import { messageOf } from './report.ts';
import { checkBatch } from './segment.ts';

/** A commit that was prepared and not published: whole, with its segments, and the one that continues the log. */
export type PendingCommit = {
  size: number;
  root: Buffer;
  /** Bytes of the tiles and bundles that it will write. */
  files: ReadonlyMap<string, Buffer>;
  /** Its entries by index. */
  entries: ReadonlyMap<number, Entry>;
  history: Staged['history'];
};

/** What a file in staging/ is: never believed by its name. */
export type Staging =
  | { kind: 'pending'; commit: PendingCommit }
  /** Published already; a keeper removes it next. */
  | { kind: 'published' }
  | { kind: 'gone' }
  | { kind: 'wrong'; why: string };

/** @param published the newest checkpoint: what is pending must continue it */
export const readStaging = (vault: string, name: string, published: Checkpoint): Staging => {
  try {
    const named = parseStagingName(name);
    if (named === null) throw new VaultFormatError('no bundle has such a name');
    const bytes = readBounded(join(vault, 'staging', name), maxStaging);
    if (bytes === null) return { kind: 'gone' };
    const staged = parseStaging(bytes);
    if (staged.size !== named.size || !staged.root.equals(named.root))
      throw new VaultFormatError('it holds another commit than its name says');
    if (staged.size === published.size && staged.root.equals(published.root)) {
      checkApplied(vault, staged);
      return { kind: 'published' };
    }
    return { kind: 'pending', commit: checkPending(vault, staged, published) };
  } catch (error) {
    return { kind: 'wrong', why: messageOf(error) };
  }
};

/** Whether what the signer remembers is prepared, to the last byte, as the commit that follows `published`. */
export const isPending = (vault: string, published: Checkpoint, signed: Checkpoint): boolean =>
  readStaging(vault, stagingName(signed.size, signed.root), published).kind === 'pending';

/** Names in staging/. */
export const listStaging = (vault: string): string[] => {
  try {
    return readdirSync(join(vault, 'staging'));
  } catch {
    return [];
  }
};

/** The commit that is pending at the time of the call; one that was found stays. */
export const newPendingSearch = (vault: string, published: Checkpoint): (() => PendingCommit | null) => {
  let found: PendingCommit | null = null;
  let searched = '';
  return () => {
    const names = listStaging(vault).filter((name) => parseStagingName(name) !== null);
    if (found !== null || names.join() === searched) return found;
    searched = names.join();
    for (const name of names) {
      const staging = readStaging(vault, name, published);
      if (staging.kind === 'pending') found = staging.commit;
    }
    return found;
  };
};

const checkPending = (vault: string, staged: Staged, published: Checkpoint): PendingCommit => {
  const read = (path: string): Buffer => required(vault, path, maxBundle);
  const entries = checkStaging(staged, {
    published,
    next: staged,
    read,
    amendments: readBounded(join(vault, amendmentsPath), maxAmendments) ?? Buffer.alloc(0),
  });
  checkHistory(vault, staged.history, published);
  for (const { index, entry } of entries) checkStored(vault, index, entry);
  return {
    size: staged.size,
    root: staged.root,
    files: new Map(staged.files.map(({ path, bytes }) => [path, bytes])),
    entries: new Map(entries.map(({ index, entry }) => [index, entry])),
    history: staged.history,
  };
};

/** The segment of a batch is whole; the revision of a redact entry is there, as it says. */
const checkStored = (vault: string, index: number, entry: Entry): void => {
  if (entry.kind === 'batch') {
    const file = segmentPath(index);
    const { what } = checkBatch(index, { ...entry, redacted: [] }, required(vault, file, maxSegment));
    if (what !== null) throw new VaultFormatError(`${file}: ${what}`);
  }
  if (entry.kind === 'redact') {
    const file = segmentPath(entry.target.entry, index);
    const stored = required(vault, file, maxSegment);
    if (stored.length !== entry.segment.length || !sha256(stored).equals(entry.segment.sha256))
      throw new VaultFormatError(`${file} is not the revision that staged entry ${index} names`);
  }
};

/** The published checkpoint is the last before the place that the bundle names for the next. */
const checkHistory = (vault: string, { path, offset }: Staged['history'], published: Checkpoint): void => {
  if (historyPath(published.size) !== path) {
    if (offset !== 0) throw new VaultFormatError(`its checkpoint is not the first in ${path}`);
    return;
  }
  const kept = parseHistory(required(vault, path, maxHistoryFile).subarray(0, offset));
  const length = kept.notes.reduce((sum, note) => sum + 2 + note.length, kept.rest);
  if (length !== offset || kept.rest > 0 || kept.notes.at(-1)?.equals(published.note) !== true)
    throw new VaultFormatError(`the published checkpoint does not end at byte ${offset} of ${path}`);
};

/** What was published from a bundle is what lies in the vault; a partial tile may have given way to a full one. */
const checkApplied = (vault: string, { files }: Staged): void => {
  for (const { path, bytes } of files) {
    const now = readBounded(join(vault, path), maxBundle);
    if (now !== null && !now.equals(bytes))
      throw new VaultFormatError(`it is published with another ${path}`);
  }
};

const required = (vault: string, path: string, limit: number): Buffer => {
  const bytes = readBounded(join(vault, path), limit);
  if (bytes === null) throw new VaultFormatError(`${path} is missing`);
  return bytes;
};
