import { asName, type ByteString } from './byte-string.ts';
import type { ParseContext, Parsed } from './parsed.ts';
import type { Priority } from './priority.ts';
import { scanIso } from './timestamp.ts';

/**
 * RFC 5424: `<PRI>1 TIMESTAMP HOST APP PROCID MSGID SD [MSG]`. Structured data become fields `sdid.param`, MSGID and a
 * PROCID that is no number become `msgid` and `procid`. `null` if the line is not in this format.
 */
export const parseRfc5424 = (raw: ByteString, priority: Priority, context: ParseContext): Parsed | null => {
  if (raw.charCodeAt(priority.end) !== 49 || raw.charCodeAt(priority.end + 1) !== 32) return null;
  const timeStart = priority.end + 2;
  const timeEnd = raw.indexOf(' ', timeStart);
  if (timeEnd < 0) return null;
  const nil = timeEnd === timeStart + 1 && raw.charCodeAt(timeStart) === 45;
  const scanned = nil ? null : scanIso(raw, timeStart, context.local);
  if (!nil && (scanned === null || scanned.end !== timeEnd)) return null;

  const hostEnd = raw.indexOf(' ', timeEnd + 1);
  const appEnd = hostEnd < 0 ? -1 : raw.indexOf(' ', hostEnd + 1);
  const procidEnd = appEnd < 0 ? -1 : raw.indexOf(' ', appEnd + 1);
  if (procidEnd < 0) return null;
  const space = raw.indexOf(' ', procidEnd + 1);
  const msgidEnd = space < 0 ? raw.length : space;
  if (msgidEnd - timeEnd > 600) return null;

  const fields: ByteString[] = [];
  const procid = raw.slice(appEnd + 1, procidEnd);
  const pid = asPid(procid);
  if (pid === null && procid !== '-' && procid !== '') fields.push('procid', procid);
  const msgid = raw.slice(procidEnd + 1, msgidEnd);
  if (msgid !== '-' && msgid !== '') fields.push('msgid', msgid);

  let confidence = scanned !== null && scanned.guessed !== 0 ? 90 : 100;
  let position = Math.min(msgidEnd + 1, raw.length);
  if (raw.charCodeAt(position) === 45 && (position + 1 === raw.length || raw.charCodeAt(position + 1) === 32))
    position += 1;
  else if (raw.charCodeAt(position) === 91) {
    const end = scanStructuredData(raw, position, fields);
    if (end < 0) confidence = 70;
    else position = end;
  } else confidence = 70;
  if (raw.charCodeAt(position) === 32) position += 1;
  // A byte order mark says that the message is UTF-8 (§6.4); it is no part of the text.
  if (
    raw.charCodeAt(position) === 0xef &&
    raw.charCodeAt(position + 1) === 0xbb &&
    raw.charCodeAt(position + 2) === 0xbf
  )
    position += 3;

  return {
    claimed: scanned === null ? null : scanned.time,
    host: nilable(raw, timeEnd + 1, hostEnd),
    app: nilable(raw, hostEnd + 1, appEnd),
    pid,
    facility: priority.facility,
    severity: priority.severity,
    messageStart: position,
    messageEnd: raw.length,
    message: null,
    fields,
    confidence,
    guessed: scanned === null ? 0 : scanned.guessed,
  };
};

const nilable = (raw: ByteString, start: number, end: number): ByteString =>
  end === start + 1 && raw.charCodeAt(start) === 45 ? '' : asName(raw.slice(start, end));

/** A process id, or `null` for text that is none. */
export const asPid = (text: ByteString): number | null => {
  if (text.length === 0 || text.length > 10) return null;
  let value = 0;
  for (let i = 0; i < text.length; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return null;
    value = value * 10 + digit;
  }
  return value <= 0xffff_ffff ? value : null;
};

/**
 * Reads `[id name="value" …][…]…` from `start` and appends its parameters to `fields`.
 * @returns where it ends, or -1 if it is malformed; then `fields` is as it was
 */
const scanStructuredData = (raw: ByteString, start: number, fields: ByteString[]): number => {
  const before = fields.length;
  let at = start;
  while (raw.charCodeAt(at) === 91) {
    const end = scanElement(raw, at + 1, fields);
    if (end < 0) {
      fields.length = before;
      return -1;
    }
    at = end;
  }
  return at;
};

const scanElement = (raw: ByteString, start: number, fields: ByteString[]): number => {
  let at = nameEnd(raw, start);
  if (at === start) return -1;
  const id = asName(raw.slice(start, at));
  let parameters = 0;
  while (raw.charCodeAt(at) === 32) {
    at += 1;
    const equals = nameEnd(raw, at);
    if (equals === at || raw.charCodeAt(equals) !== 61 || raw.charCodeAt(equals + 1) !== 34) return -1;
    const close = valueEnd(raw, equals + 2);
    if (close < 0) return -1;
    const value = raw.slice(equals + 2, close);
    fields.push(
      `${id}.${asName(raw.slice(at, equals))}`,
      value.includes('\\') ? value.replace(/\\(["\\\]])/g, '$1') : value,
    );
    parameters += 1;
    at = close + 1;
  }
  if (raw.charCodeAt(at) !== 93) return -1;
  if (parameters === 0) fields.push(id, '');
  return at + 1;
};

/** SD-NAME: printable ASCII but `=`, SP, `]` and `"`. */
const nameEnd = (raw: ByteString, start: number): number => {
  let at = start;
  for (; at < raw.length; at += 1) {
    const code = raw.charCodeAt(at);
    if (code <= 32 || code >= 127 || code === 61 || code === 93 || code === 34) break;
  }
  return at;
};

const valueEnd = (raw: ByteString, start: number): number => {
  for (let at = start; at < raw.length; at += 1) {
    const code = raw.charCodeAt(at);
    if (code === 92) at += 1;
    else if (code === 34) return at;
  }
  return -1;
};
