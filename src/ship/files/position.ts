import { hash } from 'node:crypto';
import { readSync } from 'node:fs';
import { z } from 'zod';

/** SHA-256 of some bytes of a file (first 22 characters of base64url), to know them again. */
const print = z.object({ length: z.int(), sha256: z.string() });
export type Print = z.infer<typeof print>;

/** Part of a file, from one line's beginning to another's; `parts` pieces of the line at `at` are already sent. */
const span = z.object({ at: z.int(), until: z.int(), parts: z.int() });
export type Span = z.infer<typeof span>;

const reached = z.object({
  /** Every line that begins before this byte is kept, but for those in `back`. */
  offset: z.int(),
  /** Pieces of the line at `offset` already sent, if it is too long for one. */
  parts: z.int(),
  /** The file's first bytes (≤ 1 KiB, none beyond `offset`): a copy of the file begins with them too. */
  head: print,
  /** The bytes just before `offset` (≤ 1 KiB): if they are others now, the file was written anew. */
  tail: print,
  /** What existed at first sight and is still to be read, in the background. */
  back: span.nullable(),
});
export type Reached = z.infer<typeof reached>;

/** How far a file has been read. Kept in the spool under `file:<device>:<inode>`. */
export const filePosition = reached.extend({
  path: z.string(),
  /** Lines that begin before this byte existed when the agent first looked. */
  existed: z.int(),
  /** It was renamed, removed or is a copy: nobody will end its last line. */
  moved: z.boolean(),
  /** How far it had been read when it was truncated, until the copy that was made before is found. */
  before: reached.nullable(),
});
export type FilePosition = z.infer<typeof filePosition>;

export const printLength = 1024;

const noPrint: Print = { length: 0, sha256: '' };

export const atBeginning: Reached = { offset: 0, parts: 0, head: noPrint, tail: noPrint, back: null };

export const printOf = (bytes: Buffer): Print =>
  bytes.length === 0
    ? noPrint
    : { length: bytes.length, sha256: hash('sha256', bytes, 'base64url').slice(0, 22) };

/** Up to `length` bytes at `at`; fewer at the end of the file. */
export const readAt = (fd: number, at: number, length: number): Buffer => {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(fd, bytes, filled, length - filled, at + filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
};

/** The bytes that `print` was made of, if they still stand at `at`; else `null`. */
export const readPrinted = (fd: number, at: number, wanted: Print): Buffer | null => {
  const bytes = readAt(fd, at, wanted.length);
  return printOf(bytes).sha256 === wanted.sha256 ? bytes : null;
};

/** The bytes before `offset`, if they are still those that were read; else the file was written anew: `null`. */
export const readTail = (fd: number, position: Reached): Buffer | null =>
  readPrinted(fd, position.offset - position.tail.length, position.tail);

/**
 * The position after reading on.
 * @param tail bytes before the old offset, as `readTail` gave them
 * @param consumed bytes from the old offset to the new one
 */
export const advance = (position: Reached, tail: Buffer, consumed: Buffer, parts: number): Reached => {
  const offset = position.offset + consumed.length;
  const recent = Buffer.concat([tail, consumed.subarray(-printLength)]);
  // Until the offset passes 1 KiB the tail is everything before it, so the head needs no reading of its own.
  const head =
    position.offset < printLength
      ? printOf(Buffer.concat([tail, consumed.subarray(0, printLength)]).subarray(0, printLength))
      : position.head;
  return { ...position, offset, parts, head, tail: printOf(recent.subarray(-printLength)) };
};

/** Where reading starts in a file that existed at first sight: live from its last line's end, the rest in the background. */
export const amidst = (fd: number, size: number): Reached => {
  const window = readAt(fd, Math.max(0, size - 1024 * 1024), Math.min(size, 1024 * 1024));
  const lineEnd = window.lastIndexOf(0x0a);
  if (lineEnd === -1) return atBeginning;
  const offset = Math.max(0, size - 1024 * 1024) + lineEnd + 1;
  return {
    offset,
    parts: 0,
    head: printOf(readAt(fd, 0, Math.min(printLength, offset))),
    tail: printOf(readAt(fd, Math.max(0, offset - printLength), Math.min(printLength, offset))),
    back: { at: 0, until: offset, parts: 0 },
  };
};
