import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Edit } from '#advise';
import { createFile, removeFile, syncDirectory } from '#vault/durable';
import { FixError } from './errors.ts';
import type { Backup } from './journal.ts';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** What is needed to put a file back: the backup's entry, and the old bytes by the name that it gives them. */
export const backUp = (edits: readonly Edit[]): { backups: Backup[]; kept: Map<string, Uint8Array> } => {
  const kept = new Map<string, Uint8Array>();
  const backups = edits.map(({ path, text }, number): Backup => {
    const after = sha256(text);
    if (!existsSync(path))
      return {
        path,
        kept: null,
        mode: 0o644,
        uid: 0,
        gid: 0,
        before: null,
        after,
        made: missing(dirname(path)),
      };
    const { mode, uid, gid } = statSync(path);
    const bytes = readFileSync(path);
    kept.set(String(number), bytes);
    return {
      path,
      kept: String(number),
      mode: mode & 0o7777,
      uid,
      gid,
      before: sha256(bytes),
      after,
      made: [],
    };
  });
  return { backups, kept };
};

const missing = (directory: string): string[] =>
  existsSync(directory) ? [] : [...missing(dirname(directory)), directory];

/** Beside the file until it is whole; no daemon reads files of that name. */
const unfinished = '.holdfast-unfinished';

/** Whole or not at all, with the owner and mode of the backup. Durable when it returns. */
const replace = ({ path, mode, uid, gid }: Backup, bytes: Uint8Array): void => {
  rmSync(`${path}${unfinished}`, { force: true });
  createFile(`${path}${unfinished}`, bytes, 0o600, null);
  chownSync(`${path}${unfinished}`, uid, gid);
  chmodSync(`${path}${unfinished}`, mode);
  renameSync(`${path}${unfinished}`, path);
  syncDirectory(dirname(path));
};

/** Puts the new file into place. */
export const writeEdit = (backup: Backup, { text }: Edit): void => {
  for (const directory of backup.made) if (!existsSync(directory)) mkdirSync(directory, { mode: 0o755 });
  replace(backup, Buffer.from(text));
};

/**
 * Puts the old file into place, or takes away what there was not. May be repeated.
 * @throws FixError `damaged` where the backup is not what it was
 */
export const putBack = (directory: string, backup: Backup): void => {
  rmSync(`${backup.path}${unfinished}`, { force: true });
  if (backup.kept === null) {
    if (existsSync(dirname(backup.path))) removeFile(backup.path);
    for (const made of backup.made.toReversed()) removeIfEmpty(made);
    return;
  }
  const bytes = readFileSync(join(directory, backup.kept));
  if (sha256(bytes) !== backup.before)
    throw new FixError('damaged', `${join(directory, backup.kept)} is not what was kept of ${backup.path}`);
  replace(backup, bytes);
};

const removeIfEmpty = (directory: string): void => {
  try {
    rmdirSync(directory);
  } catch {
    // somebody else has put something there meanwhile
  }
};

/** Files that are neither as the fix left them nor as they were before. */
export const changedSince = (backups: readonly Backup[]): string[] =>
  backups
    .filter(({ path, before, after }) => {
      const now = existsSync(path) ? sha256(readFileSync(path)) : null;
      return now !== after && now !== before;
    })
    .map(({ path }) => path);

/** For units of systemd, which are no one's configuration and can be made again. */
export const writePlainFile = (path: string, text: string): void => {
  writeFileSync(path, text, { mode: 0o644 });
  syncDirectory(dirname(path));
};
