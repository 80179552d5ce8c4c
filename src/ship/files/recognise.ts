import { basename, dirname } from 'node:path';
import { printLength, readAt, readPrinted, readTail, type FilePosition, type Reached } from './position.ts';
import type { Tracked } from './tracked.ts';
import type { FoundFile } from './walk.ts';

/** What a file is that has an inode not followed so far. */
export type Recognised =
  | { as: 'new' }
  /** It holds what another held and continues it, e.g. after an editor or rsync replaced the file. */
  | { as: 'successor'; of: string; position: FilePosition }
  /** The copy that copytruncate made: what had been read of the original need not be read again. */
  | { as: 'copy'; of: Tracked; position: FilePosition }
  /** It begins as another does that still stands: whether that one gets truncated is to be awaited. */
  | { as: 'perhaps a copy' };

/** Fewer equal bytes than this may be chance. */
const telling = 64;

/**
 * Compares a file with those that are or were followed.
 * @param fd the file, open
 * @param vanished positions of inodes that are no longer there, by key
 */
export const recognise = (
  fd: number,
  found: FoundFile,
  tracked: Iterable<Tracked>,
  vanished: ReadonlyMap<string, FilePosition>,
): Recognised => {
  for (const [key, position] of vanished) {
    if (position.path !== found.path || found.size < position.offset) continue;
    // The device number may change with a reboot; an equal inode makes chance unlikely enough for a short file.
    const sameInode = key.slice(key.indexOf(':')) === found.key.slice(found.key.indexOf(':'));
    if ((sameInode || position.tail.length >= telling) && readTail(fd, position) !== null) {
      return { as: 'successor', of: key, position };
    }
  }
  let perhaps = false;
  for (const file of tracked) {
    if (!mayBeCopy(found.path, file.position.path)) continue;
    const { before, head } = file.position;
    const beginsAlike = beginsAs(fd, file);
    if (before !== null && before.head.length > 0 && readPrinted(fd, 0, before.head) !== null) {
      // Where the bytes before the offset cannot tell, and the present content begins the same: rather twice than never.
      const isSame = found.size < before.offset ? !beginsAlike : readTail(fd, before) !== null;
      if (isSame) return { as: 'copy', of: file, position: copied(before, found) };
    }
    // What was read of it counts too: it may have been truncated since, unnoticed so far.
    perhaps ||= beginsAlike || (head.length > 0 && readPrinted(fd, 0, head) !== null);
  }
  return perhaps ? { as: 'perhaps a copy' } : { as: 'new' };
};

/** Whether both begin with the same bytes. The followed file's are taken as they are now: it may be unread so far. */
const beginsAs = (fd: number, file: Tracked): boolean => {
  if (file.fd === null) return false;
  const bytes = readAt(file.fd, 0, printLength);
  return bytes.length > 0 && bytes.equals(readAt(fd, 0, bytes.length));
};

/** The copy may end before what was read: lines that came after copying, and before truncating, are in no copy. */
const copied = (before: Reached, found: FoundFile): FilePosition => {
  const offset = Math.min(before.offset, found.size);
  const back = before.back === null ? null : { ...before.back, until: Math.min(before.back.until, offset) };
  return {
    ...before,
    path: found.path,
    existed: before.back?.until ?? 0,
    offset,
    tail: offset === before.offset ? before.tail : { length: 0, sha256: '' },
    back,
    moved: true,
    before: null,
  };
};

/** `app.log` → `app.log.1`, `app.log-20260512`, `app-20260512.log`, in one directory. */
const mayBeCopy = (path: string, original: string): boolean => {
  const stem = basename(original).replace(/(.)\.[^.]*$/, '$1');
  return (
    dirname(path) === dirname(original) && path.length > original.length && basename(path).startsWith(stem)
  );
};
