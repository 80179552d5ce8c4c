import { micros, type Micros } from '#base/clock';
import { documentPart } from './bodies/document.ts';
import { fromText, toBytes, type ByteString } from './byte-string.ts';
import { parseJournal } from './journal.ts';
import { readPayload } from './payload.ts';
import type { ParseContext, Parsed } from './parsed.ts';
import { parseSyslogHeader } from './syslog-line.ts';
import { parseTextFile } from './text-file.ts';

/** What was said of an imported file. */
export type ImportMeta = {
  format: 'lines' | 'journal';
  path: string;
  /** No line is later than a day after this; `null` where nobody knows. */
  writtenBy: Micros | null;
};

/** What compression, and rotation by date, put behind the name of a log: `app.log-20260512.gz`, `app-2026-05-12.log`. */
const kept = /\.(gz|zst|zstd|xz|bz2)$/;
const dated = /[-.]\d{4}-?\d{2}-?\d{2}(?:[-_T]?\d{2,6})?(?=$|\.log$)/;

/**
 * One line, or one entry of a journal, of a file that was imported: `<13>…` as syslog, `{…}` as JSON, all else as a line of
 * a text file. A year that is missing is told by when the file was written, not by when it was imported.
 */
export const parseImported = (raw: ByteString, meta: ImportMeta, context: ParseContext): Parsed => {
  const then = { ...context, received: meta.writtenBy ?? context.received };
  const parsed = meta.format === 'journal' ? parseJournal(raw) : parseLineOfFile(raw, meta.path, then);
  if (!hasPath(parsed)) parsed.fields = [...parsed.fields, 'path', fromText(meta.path)];
  return parsed;
};

const parseLineOfFile = (raw: ByteString, path: string, context: ParseContext): Parsed => {
  const first = raw.charCodeAt(0);
  if (first === 0x7b) {
    const document = documentPart(toBytes(raw), context);
    if (document !== null) return document.parsed;
  }
  const parsed =
    first === 0x3c && /^<\d{1,3}>/.test(raw.slice(0, 5))
      ? parseSyslogHeader(raw, context)
      : parseTextFile(raw, path.replace(kept, '').replace(dated, ''), context);
  // Fields name the file as it is, not without what compression put there.
  const at = parsed.fields.indexOf('path');
  if (at !== -1 && at % 2 === 0) parsed.fields[at + 1] = fromText(path);
  if (parsed.message === null) readPayload(raw, parsed);
  return parsed;
};

const hasPath = ({ fields }: Parsed): boolean => fields.some((name, at) => at % 2 === 0 && name === 'path');

export const microsOf = (value: unknown): Micros | null =>
  typeof value === 'number' && Number.isSafeInteger(value) ? micros(value) : null;
