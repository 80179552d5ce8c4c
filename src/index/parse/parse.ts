import { readJournalAudit } from './audit.ts';
import { bodyFormats, type BodyMeta } from './bodies/format.ts';
import { asName, fromText, type ByteString } from './byte-string.ts';
import { microsOf, parseImported, type ImportMeta } from './imported-line.ts';
import { parseJournal } from './journal.ts';
import { parseKernel } from './kernel.ts';
import { parseOwnLine } from './own-line.ts';
import { readPayload } from './payload.ts';
import type { ParseContext, Parsed } from './parsed.ts';
import { parseSyslogHeader } from './syslog-line.ts';
import { parseTextFile } from './text-file.ts';

/** What the sender said of the line (see src/wire/own.ts), or the receiver of a body. */
export type Meta = {
  /** Of a body its format. */
  via: string;
  host: ByteString;
  path: string;
  /** Only of a body, which may be many lines. */
  body?: BodyMeta;
  /** Only of a line of an imported file. */
  imported?: ImportMeta;
};

/** Meta as JSON, as it stands in the record; `null` where there is none or it cannot be read. */
export const parseMeta = (json: string): Meta | null => {
  if (json === '') return null;
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null) return null;
    const text = (name: string): string => {
      const found: unknown = Object.getOwnPropertyDescriptor(value, name)?.value;
      return typeof found === 'string' ? found : '';
    };
    const meta = { via: text('via'), host: asName(fromText(text('host'))), path: text('path') };
    if (meta.via === 'import') {
      const format = text('format') === 'journal' ? 'journal' : 'lines';
      const writtenBy = microsOf(Object.getOwnPropertyDescriptor(value, 'writtenBy')?.value);
      return { ...meta, imported: { format, path: meta.path, writtenBy } };
    }
    const format = bodyFormats.find((known) => known === text('format'));
    if (format === undefined || (meta.via !== 'http' && meta.via !== 'gelf')) return meta;
    const body = { format, type: text('type'), encoding: text('encoding') || 'identity', key: text('key') };
    return { ...meta, via: format, body };
  } catch {
    return null;
  }
};

/** Never throws and never changes the line: what cannot be understood is a message with confidence 0. */
export const parseLine = (raw: ByteString, meta: Meta | null, context: ParseContext): Parsed => {
  if (meta?.imported !== undefined) return parseImported(raw, meta.imported, context);
  const parsed = parseFormat(raw, meta, context);
  // Where the message is no slice of the line, its own parser has looked into it
  if (parsed.message === null && !(meta?.via === 'journal' && readJournalAudit(raw, parsed)))
    readPayload(raw, parsed);
  return parsed;
};

const parseFormat = (raw: ByteString, meta: Meta | null, context: ParseContext): Parsed => {
  if (meta === null) return parseSyslogHeader(raw, context);
  switch (meta.via) {
    case 'journal':
      return parseJournal(raw);
    case 'kernel':
      return parseKernel(raw);
    case 'file':
      return parseTextFile(raw, meta.path, context);
    case 'fact':
    case 'self':
      return parseOwnLine(raw);
    default:
      return parseSyslogHeader(raw, context);
  }
};
