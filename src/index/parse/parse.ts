import { readJournalAudit } from './audit.ts';
import { asName, fromText, type ByteString } from './byte-string.ts';
import { parseJournal } from './journal.ts';
import { parseKernel } from './kernel.ts';
import { parseOwnLine } from './own-line.ts';
import { readPayload } from './payload.ts';
import { plainText, type ParseContext, type Parsed } from './parsed.ts';
import { noPriority, scanPriority } from './priority.ts';
import { parseRfc3164 } from './rfc3164.ts';
import { parseRfc5424 } from './rfc5424.ts';
import { parseTextFile } from './text-file.ts';

/** What the sender said of the line (see src/wire/own.ts). */
export type Meta = { via: string; host: ByteString; path: string };

/** Meta as JSON, as it stands in the record; `null` where there is none or it cannot be read. */
export const parseMeta = (json: string): Meta | null => {
  if (json === '') return null;
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null) return null;
    const text = (name: 'via' | 'host' | 'path'): string => {
      const found: unknown = Object.getOwnPropertyDescriptor(value, name)?.value;
      return typeof found === 'string' ? found : '';
    };
    return { via: text('via'), host: asName(fromText(text('host'))), path: text('path') };
  } catch {
    return null;
  }
};

/** Never throws and never changes the line: what cannot be understood is a message with confidence 0. */
export const parseLine = (raw: ByteString, meta: Meta | null, context: ParseContext): Parsed => {
  const parsed = parseFormat(raw, meta, context);
  // Where the message is no slice of the line, its own parser has looked into it
  if (parsed.message === null && !(meta?.via === 'journal' && readJournalAudit(raw, parsed)))
    readPayload(raw, parsed);
  return parsed;
};

const parseFormat = (raw: ByteString, meta: Meta | null, context: ParseContext): Parsed => {
  if (meta === null) return parseSyslog(raw, context);
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
      return parseSyslog(raw, context);
  }
};

const parseSyslog = (raw: ByteString, context: ParseContext): Parsed => {
  // A byte order mark before all else (§6.4 of RFC 5424 has it before the message only)
  const start = raw.charCodeAt(0) === 0xef && raw.startsWith('\u00ef\u00bb\u00bf') ? 3 : 0;
  const priority = scanPriority(raw, start);
  if (priority === null) {
    const none = { ...noPriority, end: start };
    return parseRfc5424(raw, none, context) ?? parseRfc3164(raw, none, context) ?? plainText(raw);
  }
  return parseRfc5424(raw, priority, context) ?? parseRfc3164(raw, priority, context) ?? plainText(raw);
};
