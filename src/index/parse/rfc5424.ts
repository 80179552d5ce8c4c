import { asName, type ByteString } from './byte-string.ts';
import { none, type ParseContext, type Parsed } from './parsed.ts';
import type { Priority } from './priority.ts';
import { scanIso } from './timestamp.ts';

/**
 * RFC 5424: `<PRI>1 TIMESTAMP HOST APP PROCID MSGID SD [MSG]`. Structured data become fields `sdid.param`, MSGID and a
 * PROCID that is no number become `msgid` and `procid`. Also met: no priority, a header that ends early, values without
 * quotes (VMware). `null` if the line is not in this format.
 */
export const parseRfc5424 = (raw: ByteString, priority: Priority, context: ParseContext): Parsed | null => {
  if (raw.charCodeAt(priority.end) !== 49 || raw.charCodeAt(priority.end + 1) !== 32) return null;
  const timeStart = priority.end + 2;
  const nil = isNil(raw, timeStart, timeStart + 1);
  const scanned = nil ? null : scanIso(raw, timeStart, context.local);
  if (!nil && scanned === null) return null;
  const timeEnd = scanned === null ? timeStart + 1 : scanned.end;
  // Only a line with a priority is taken for one with less than a whole header
  if (raw.charCodeAt(timeEnd) !== 32 && (timeEnd < raw.length || priority.facility === none)) return null;

  const hostStart = Math.min(timeEnd + 1, raw.length);
  const hostEnd = wordEnd(raw, hostStart);
  const appStart = Math.min(hostEnd + 1, raw.length);
  const appEnd = wordEnd(raw, appStart);
  const procidStart = Math.min(appEnd + 1, raw.length);
  const procidEnd = wordEnd(raw, procidStart);
  const msgidStart = Math.min(procidEnd + 1, raw.length);
  const msgidEnd = wordEnd(raw, msgidStart);
  if (msgidEnd - timeEnd > 600) return null;
  const whole = msgidEnd > msgidStart;
  if (!whole && priority.facility === none) return null;

  const fields: ByteString[] = [];
  const pid = pidAt(raw, procidStart, procidEnd);
  if (pid === null && procidEnd > procidStart && !isNil(raw, procidStart, procidEnd))
    fields.push('procid', asName(raw.slice(procidStart, procidEnd)));
  if (whole && !isNil(raw, msgidStart, msgidEnd))
    fields.push('msgid', asName(raw.slice(msgidStart, msgidEnd)));

  let confidence = priority.facility === none || (scanned !== null && scanned.guessed !== 0) ? 90 : 100;
  let position = Math.min(msgidEnd + 1, raw.length);
  if (isNil(raw, position, position + 1) && !(raw.charCodeAt(position + 1) > 32)) position += 1;
  else if (raw.charCodeAt(position) === 91) {
    const data = scanStructuredData(raw, position, fields);
    if (data === null) confidence = 70;
    else {
      position = data.end;
      if (!data.strict) confidence = Math.min(confidence, 90);
    }
  } else confidence = 70;
  if (raw.charCodeAt(position) === 32) position += 1;
  // A byte order mark says that the message is UTF-8 (§6.4); it is no part of the text.
  if (
    raw.charCodeAt(position) === 0xef &&
    raw.charCodeAt(position + 1) === 0xbb &&
    raw.charCodeAt(position + 2) === 0xbf
  )
    position += 3;
  // rsyslog passes on the space between tag and text of RFC 3164 as the first of MSG.
  else if (raw.charCodeAt(position) === 32) position += 1;

  return {
    claimed: scanned === null ? null : scanned.time,
    stamp: scanned,
    host: nameAt(raw, hostStart, hostEnd),
    app: nameAt(raw, appStart, appEnd),
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

const wordEnd = (raw: ByteString, start: number): number => {
  const end = raw.indexOf(' ', start);
  return end < 0 ? raw.length : end;
};

const isNil = (raw: ByteString, start: number, end: number): boolean =>
  end === start + 1 && raw.charCodeAt(start) === 45;

const nameAt = (raw: ByteString, start: number, end: number): ByteString => {
  if (isNil(raw, start, end) || end === start) return '';
  let at = end - start <= 255 ? start : end;
  while (at < end && raw.charCodeAt(at) > 32 && raw.charCodeAt(at) < 127) at += 1;
  return at === end && end - start <= 255 ? raw.slice(start, end) : asName(raw.slice(start, end));
};

/** A process id, or `null` for text that is none. */
export const asPid = (text: ByteString): number | null => pidAt(text, 0, text.length);

const pidAt = (text: ByteString, start: number, end: number): number | null => {
  if (end === start || end - start > 10) return null;
  let value = 0;
  for (let i = start; i < end; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return null;
    value = value * 10 + digit;
  }
  return value <= 0xffff_ffff ? value : null;
};

/** `strict` is false where a value stood without its quotes. */
type StructuredData = { end: number; strict: boolean };

/**
 * Reads `[id name="value" …][…]…` from `start` and appends its parameters to `fields`; `null` if it is malformed, then
 * `fields` is as it was. Of more parameters than a line may have fields, the first count.
 */
const scanStructuredData = (raw: ByteString, start: number, fields: ByteString[]): StructuredData | null => {
  const before = fields.length;
  const data = { end: start, strict: true };
  while (raw.charCodeAt(data.end) === 91) {
    if (scanElement(raw, data, fields)) continue;
    fields.length = before;
    return null;
  }
  fields.length = Math.min(fields.length, before + 2 * mostParameters);
  return data;
};

const mostParameters = 256;

const scanElement = (raw: ByteString, data: StructuredData, fields: ByteString[]): boolean => {
  const start = data.end + 1;
  let at = nameEnd(raw, start);
  if (at === start) return false;
  const id = asName(raw.slice(start, at));
  let parameters = 0;
  while (raw.charCodeAt(at) === 32) {
    at += 1;
    // `[id name="value" ]`
    if (raw.charCodeAt(at) === 93) break;
    const equals = nameEnd(raw, at);
    if (equals === at || raw.charCodeAt(equals) !== 61) return false;
    const name = `${id}.${asName(raw.slice(at, equals))}`;
    if (raw.charCodeAt(equals + 1) === 34) {
      const close = valueEnd(raw, equals + 2);
      if (close < 0) return false;
      const value = raw.slice(equals + 2, close);
      fields.push(name, value.includes('\\') ? value.replace(/\\(["\\\]])/g, '$1') : value);
      at = close + 1;
    } else {
      const close = nameEnd(raw, equals + 1);
      if (close === equals + 1 || (raw.charCodeAt(close) !== 32 && raw.charCodeAt(close) !== 93))
        return false;
      data.strict = false;
      fields.push(name, raw.slice(equals + 1, close));
      at = close;
    }
    parameters += 1;
  }
  if (raw.charCodeAt(at) !== 93) return false;
  if (parameters === 0) fields.push(id, '');
  data.end = at + 1;
  return true;
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
