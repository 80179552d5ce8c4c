import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync } from 'node:fs';
import type { Line } from '../line.ts';
import { holeEnd, looksBinary, readLines, type FileLine } from './lines.ts';
import { advance, atBeginning, printOf, readTail, type FilePosition } from './position.ts';

/** A file that is followed: what is known of it while the process lives, next to the position that outlives it. */
export type Tracked = {
  key: string;
  position: FilePosition;
  fd: number | null;
  /** Of the last look, nanoseconds; -1 before the first. */
  modified: bigint;
  size: number;
  /** `clock.elapsed()` of the last growth. */
  grown: number;
  /** Whether its path named it at the last look. */
  named: boolean;
  /** `clock.elapsed()` when its last name was seen gone, else `null`. */
  removed: number | null;
  /** `clock.elapsed()` when it was truncated and no copy has been found yet, else `null`. */
  truncated: number | null;
};

/**
 * Opens a regular file that a directory listing named, and makes sure that it is the one at that path: a directory on
 * the way may have been replaced by a link in between.
 * @throws the system's error; Error if it is another file
 */
export const openFound = (path: string, key: string): number => {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const opened = fstatSync(fd, { bigint: true });
    if (
      !opened.isFile() ||
      `${opened.dev}:${opened.ino}` !== key ||
      readlinkSync(`/proc/self/fd/${fd}`) !== path
    ) {
      throw new Error(`${path} was replaced while it was opened`);
    }
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
};

export type FileLook =
  | { result: 'unchanged' | 'binary' | 'missing' }
  /** `position` has moved on; `lines` may be empty. */
  | { result: 'changed'; lines: Line[] };

/**
 * Looks at a file and reads some of what is new in it. Moves `position`; the caller keeps lines and position together.
 *
 * - size below the offset, or other bytes before the offset than were read: written anew, read from 0 (what was
 *   reached is kept in `before`). A file cut and grown again past the offset with the same bytes before it cannot be
 *   told from one that only grew.
 * - `missing`: its path names another file or none, and it is not held open.
 *
 * @param settle milliseconds without growth after which a moved file's last line is taken to be complete
 */
export const look = (file: Tracked, now: number, settle: number, host: string): FileLook => {
  const named = lstatSync(file.position.path, { bigint: true, throwIfNoEntry: false });
  const present = named !== undefined && `${named.dev}:${named.ino}` === file.key;
  file.named = present;
  if (!present && file.fd === null) return { result: 'missing' };
  const state = present || file.fd === null ? named : fstatSync(file.fd, { bigint: true });
  if (state === undefined) return { result: 'missing' };
  if (!present && state.nlink === 0n) {
    file.removed ??= now;
    file.position.moved = true;
  }
  const size = Number(state.size);
  const wasModified = state.mtimeNs !== file.modified || size !== file.size;
  if (wasModified) file.grown = now;
  file.modified = state.mtimeNs;
  file.size = size;
  const rest = file.position.moved && now - file.grown >= settle ? 'send' : 'wait';
  if (!wasModified && (size === file.position.offset || rest === 'wait')) return { result: 'unchanged' };

  file.fd ??= openFound(file.position.path, file.key);
  const { position } = file;
  const span = { at: position.offset, until: Math.max(size, position.offset), parts: position.parts };
  const read = readLines(file.fd, span, rest);
  // The check comes after reading, so that what was read is known to be of the file as it was.
  const tail = size < position.offset ? null : readTail(file.fd, position);
  if (tail === null) {
    const { offset, parts, head, tail: print, back } = position;
    file.position = {
      ...atBeginning,
      path: position.path,
      existed: 0,
      moved: position.moved,
      before: { offset, parts, head, tail: print, back },
    };
    file.truncated = now;
    file.modified = -1n;
    return { result: 'changed', lines: [] };
  }
  if (position.offset === 0 && size > 0 && position.parts === 0) {
    if (position.before !== null) {
      const start = holeEnd(file.fd, size);
      if (start > 0) {
        const hole = Buffer.alloc(Math.min(start, 1024));
        file.position = { ...position, offset: start, tail: printOf(hole), head: printOf(hole) };
        file.modified = -1n;
        return { result: 'changed', lines: [] };
      }
    } else if (looksBinary(file.fd)) {
      return { result: 'binary' };
    }
  }
  if (read.consumed.length === 0) return { result: 'unchanged' };
  file.position = { ...position, ...advance(position, tail, read.consumed, read.parts) };
  // There may be more; another look will tell.
  file.modified = -1n;
  return { result: 'changed', lines: read.lines.map((line) => asLine(file, line, host)) };
};

/**
 * Reads some of what existed at first sight.
 * @returns `null` if the file has been written anew since, which the next look finds out
 */
export const lookBack = (file: Tracked, host: string): Line[] | null => {
  const { position } = file;
  if (position.back === null) return [];
  file.fd ??= openFound(position.path, file.key);
  const { lines, consumed, parts } = readLines(file.fd, position.back, 'send');
  if (readTail(file.fd, position) === null) {
    file.modified = -1n;
    return null;
  }
  const at = position.back.at + consumed.length;
  const isDone = at >= position.back.until || consumed.length === 0;
  file.position = { ...position, back: isDone ? null : { ...position.back, at, parts } };
  return lines.map((line) => asLine(file, line, host));
};

const asLine = (file: Tracked, line: FileLine, host: string): Line => {
  const { raw, at, ...marks } = line;
  const { path, existed } = file.position;
  const cursor = `${file.key.slice(file.key.indexOf(':') + 1)}:${at}`;
  return {
    meta: { via: 'file', host, path, cursor, ...(at < existed ? { backfill: true } : {}), ...marks },
    raw,
  };
};
