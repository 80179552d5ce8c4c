import { lineLimit } from '../line.ts';
import { readAt, type Span } from './position.ts';

export type FileLine = {
  /** Where it begins. */
  at: number;
  /** Without its LF. */
  raw: Buffer;
  /** Which piece of a line that is too long for one. */
  part?: number;
  lastPart?: boolean;
  /** The file ends without the line's LF, and nobody will write it. */
  unterminated?: boolean;
};

const chunkBytes = 256 * 1024;

/**
 * Reads some of the whole lines of `span`: at least one if there is one, at most about 256 KiB or one line.
 * A last line without LF is left for later, unless `rest` says that it will not grow any more.
 * @returns the lines, the bytes they and their LFs took from `span.at` on, and how many pieces of the next line are in
 */
export const readLines = (
  fd: number,
  span: Span,
  rest: 'wait' | 'send',
): { lines: FileLine[]; consumed: Buffer; parts: number } => {
  const wanted = span.until - span.at;
  let bytes = readAt(fd, span.at, Math.min(wanted, chunkBytes));
  if (bytes.length < wanted && !bytes.includes(0x0a))
    bytes = readAt(fd, span.at, Math.min(wanted, lineLimit));
  const lines: FileLine[] = [];
  let { parts } = span;
  let at = 0;
  const take = (end: number, more: Partial<FileLine>): void => {
    lines.push({ at: span.at + at, raw: bytes.subarray(at, end), ...more });
  };
  for (;;) {
    const end = bytes.indexOf(0x0a, at);
    if (end === -1) break;
    take(end, parts > 0 ? { part: parts, lastPart: true } : {});
    parts = 0;
    at = end + 1;
  }
  if (at === 0 && bytes.length >= lineLimit) {
    take(bytes.length, { part: parts });
    parts += 1;
    at = bytes.length;
  } else if (rest === 'send' && at < bytes.length && bytes.length === wanted) {
    take(bytes.length, { unterminated: true, ...(parts > 0 ? { part: parts, lastPart: true } : {}) });
    parts = 0;
    at = bytes.length;
  }
  return { lines, consumed: bytes.subarray(0, at), parts };
};

/**
 * Where the first byte other than NUL is, looking at most 16 MiB ahead. A file truncated under a writer that keeps
 * its offset begins with a hole that reads as NULs; nobody wrote those.
 */
export const holeEnd = (fd: number, size: number): number => {
  let at = 0;
  while (at < Math.min(size, lineLimit)) {
    const bytes = readAt(fd, at, chunkBytes);
    const first = bytes.findIndex((byte) => byte !== 0);
    if (first !== -1) return at + first;
    if (bytes.length === 0) break;
    at += bytes.length;
  }
  return at;
};

/** Whether the first 4 KiB hold a NUL: not a text file (wtmp, journals, compressed files). */
export const looksBinary = (fd: number): boolean => readAt(fd, 0, 4096).includes(0);
