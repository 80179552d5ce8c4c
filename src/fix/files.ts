import { createHash } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import { lstatSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Edit } from '#advise';
import { createFile, unfinishedPath } from '#vault/durable';
import { FixError } from './errors.ts';
import type { Backup } from './journal.ts';
import { freeName, missingDirectories, writerOf } from './writer.ts';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** A file as it is to be, and what it was made from. */
export type SourcedEdit = Edit & {
  /** SHA-256 of the text that was edited, hexadecimal; `null` where there was no file. */
  source: string | null;
};

/** Bytes of a plain file; `null` where there is none. @throws FixError `no-knob` for a link or a device */
const bytesOf = (path: string): Buffer | null => {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return null;
  if (!status.isFile()) throw new FixError('no-knob', `not done by itself: ${path} is no plain file`);
  return readFileSync(path);
};

/**
 * Notes what each edit was made from, and refuses what could not be written safely, or not put back byte for byte.
 * @param read the texts that the edits were made from, by path
 * @throws FixError `no-knob`
 */
export const sourced = (edits: readonly Edit[], read: ReadonlyMap<string, string>): SourcedEdit[] =>
  edits.map((edit) => {
    const bytes = bytesOf(edit.path);
    writerOf(edit.path);
    const text = read.get(edit.path);
    if (text !== undefined && bytes !== null && !isUtf8(bytes))
      throw new FixError(
        'no-knob',
        `not done by itself: ${edit.path} is not UTF-8, and writing it would change more than is meant. Edit it by hand`,
      );
    return { ...edit, source: text === undefined ? (bytes === null ? null : sha256(bytes)) : sha256(text) };
  });

/**
 * What is needed to put a file back: the backup's entry, and the old bytes by the name that it gives them.
 * @throws FixError `check-failed` where a file is no longer what the edit was made from; `no-knob`
 */
export const backUp = (
  edits: readonly SourcedEdit[],
): { backups: Backup[]; kept: Map<string, Uint8Array> } => {
  const kept = new Map<string, Uint8Array>();
  const backups = edits.map(({ path, text, source }, number): Backup => {
    const after = sha256(text);
    const { account } = writerOf(path);
    const bytes = bytesOf(path);
    const before = bytes === null ? null : sha256(bytes);
    if (before !== source)
      throw new FixError(
        'check-failed',
        `nothing was changed: ${path} was changed by somebody else meanwhile. Run it again`,
      );
    if (bytes === null)
      return {
        path,
        kept: null,
        mode: 0o644,
        uid: account?.uid ?? process.geteuid?.() ?? 0,
        gid: account?.gid ?? process.getegid?.() ?? 0,
        before,
        after,
        made: missingDirectories(dirname(path)),
      };
    const { mode, uid, gid } = lstatSync(path);
    if (account !== null && (uid !== account.uid || gid !== account.gid))
      throw new FixError(
        'no-knob',
        `not done by itself: ${path} is of ${uid}:${gid}, and lies in a directory of ${account.uid}:${account.gid}. Give it to the directory's owner, or edit it by hand`,
      );
    kept.set(String(number), bytes);
    return { path, kept: String(number), mode: mode & 0o7777, uid, gid, before, after, made: [] };
  });
  return { backups, kept };
};

/** Files that are not as they were backed up. */
export const changedBefore = (backups: readonly Backup[]): string[] =>
  backups.filter(({ path, before }) => hashNow(path) !== before).map(({ path }) => path);

/** SHA-256; `null` where there is nothing; its kind where it is no plain file. */
const hashNow = (path: string): string | null => {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return null;
  return status.isFile() ? sha256(readFileSync(path)) : 'no plain file';
};

/** Puts the new file into place. @throws FixError `not-written` where somebody else has changed it meanwhile */
export const writeEdit = (backup: Backup, { text }: Edit): void => {
  if (hashNow(backup.path) !== backup.before)
    throw new FixError('not-written', `${backup.path} was changed by somebody else meanwhile`);
  const writer = writerOf(backup.path);
  for (const directory of backup.made) writer.makeDirectory(directory);
  writer.write(backup.path, Buffer.from(text), backup);
};

/** Whether a file is as it was: nothing need be written, and a full disk is no obstacle. */
const isAsBefore = ({ path, before, mode, uid, gid }: Backup): boolean => {
  if (before === null || hashNow(path) !== before) return false;
  const now = lstatSync(path);
  return (now.mode & 0o7777) === mode && now.uid === uid && now.gid === gid;
};

/**
 * Puts the old file into place, or takes away what there was not. May be repeated.
 * @throws FixError `damaged` where the backup is not what it was
 */
export const putBack = (directory: string, backup: Backup): void => {
  const writer = writerOf(backup.path);
  if (backup.kept === null) {
    if (lstatSync(dirname(backup.path), { throwIfNoEntry: false }) !== undefined) writer.remove(backup.path);
    for (const made of backup.made.toReversed()) writer.removeDirectory(made);
    return;
  }
  if (isAsBefore(backup)) {
    writer.tidy(backup.path);
    return;
  }
  const bytes = readFileSync(join(directory, backup.kept));
  if (sha256(bytes) !== backup.before)
    throw new FixError('damaged', `${join(directory, backup.kept)} is not what was kept of ${backup.path}`);
  writer.write(backup.path, bytes, backup);
};

/** Files that are neither as the fix left them nor as they were before. */
export const changedSince = (backups: readonly Backup[]): string[] =>
  backups
    .filter(({ path, before, after }) => {
      const now = hashNow(path);
      return now !== after && now !== before;
    })
    .map(({ path }) => path);

/**
 * Copies what somebody else has written into a file of a fix, before the old bytes go over it.
 * @returns the copy's path in the directory; `null` where nobody has
 */
export const putAside = (directory: string, backup: Backup): string | null => {
  const { path } = backup;
  if (changedSince([backup]).length === 0 || lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    return null;
  const copy = freeName(directory, `since-${basename(path)}`);
  rmSync(unfinishedPath(copy), { force: true });
  createFile(copy, readFileSync(path), 0o600, null);
  return copy;
};

/** For units of systemd, which are no one's configuration and can be made again. */
export const writePlainFile = (path: string, text: string): void =>
  writerOf(path).write(path, Buffer.from(text), { uid: 0, gid: 0, mode: 0o644 });
