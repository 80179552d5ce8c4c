import { fromBytes, type ByteString } from '../byte-string.ts';
import { scanEntry } from '../journal.ts';
import { parseLine } from '../parse.ts';
import type { ParseContext } from '../parsed.ts';
import type { Part } from './part.ts';

/** Entries of a journal in the export format, each up to the empty line that ends it. */
export function* journalEntries(bytes: Buffer, context: ParseContext): Generator<Part> {
  for (const entry of entriesOf(bytes)) {
    const raw = fromBytes(entry);
    yield { bytes: entry, raw, parsed: parseLine(raw, fromJournal, context) };
  }
}

const fromJournal = { via: 'journal', host: '', path: '' };

const LF = 0x0a;
const equals = 0x3d;

/** Views; an empty line within a value that has a length ends nothing. What cannot be read is one more entry. */
export function* entriesOf(bytes: Buffer): Generator<Buffer> {
  let start = 0;
  let at = 0;
  while (at < bytes.length) {
    const found = bytes.indexOf(LF, at);
    const lineEnd = found < 0 ? bytes.length : found;
    if (lineEnd === at) {
      if (at > start) yield bytes.subarray(start, at);
      at += 1;
      start = at;
      continue;
    }
    const isText = bytes.subarray(at, lineEnd).includes(equals);
    if (isText || found < 0) at = lineEnd + 1;
    else {
      const length = lineEnd + 9 <= bytes.length ? Number(bytes.readBigUInt64LE(lineEnd + 1)) : Infinity;
      at = Math.min(bytes.length, lineEnd + 9 + length + 1);
    }
  }
  if (start < bytes.length) yield bytes.subarray(start);
}

/** The entry's place in the journal that it is from, `''` if it says none. */
export const cursorOf = (raw: ByteString): ByteString => {
  let cursor = '';
  scanEntry(raw, (name, { start, end }) => {
    if (name === '__CURSOR' && cursor === '') cursor = raw.slice(start, end);
  });
  return cursor;
};
