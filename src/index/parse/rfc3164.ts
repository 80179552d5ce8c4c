import { asName, type ByteString } from './byte-string.ts';
import { none, type ParseContext, type Parsed } from './parsed.ts';
import type { Priority } from './priority.ts';
import { asPid } from './rfc5424.ts';
import { scanBsd, scanIso, type Scanned } from './timestamp.ts';

/**
 * RFC 3164 and what is sent under its name: with or without `<PRI>`; time in BSD or ISO form, or none; host or none;
 * `tag`, `tag:`, `tag[pid]:`. Also the format of syslog's own files. `null` if the line has neither a priority nor a time.
 */
export const parseRfc3164 = (raw: ByteString, priority: Priority, context: ParseContext): Parsed | null => {
  let at = priority.end;
  const scanned = scanTime(raw, at, context);
  if (scanned === null && priority.facility === none) return null;
  if (scanned !== null) at = skipSpace(raw, scanned.end);

  let host = '';
  if (scanned !== null) {
    const end = wordEnd(raw, at);
    // A first word that has the form of a tag is one: senders on the same host leave the host name out.
    if (end > at && end < raw.length && !isTag(raw, at, end) && isHost(raw, at, end)) {
      host = raw.slice(at, end);
      at = skipSpace(raw, end);
    }
  }
  const tag = scanTag(raw, at);
  const confidence =
    (scanned === null ? 30 : 60) +
    (priority.facility === none ? 0 : 10) +
    (host === '' ? 0 : 10) +
    (tag === null ? 0 : 10);
  return {
    claimed: scanned === null ? null : scanned.time,
    host: asName(host),
    app: tag === null ? '' : asName(raw.slice(at, tag.nameEnd)),
    pid: tag === null ? null : tag.pid,
    facility: priority.facility,
    severity: priority.severity,
    messageStart: tag === null ? at : tag.end,
    messageEnd: raw.length,
    message: null,
    fields: [],
    confidence,
    guessed: scanned === null ? 0 : scanned.guessed,
  };
};

const scanTime = (raw: ByteString, start: number, context: ParseContext): Scanned | null => {
  // Cisco marks an unsynchronised clock with `*` or `.`
  const marked = raw.charCodeAt(start) === 42 || raw.charCodeAt(start) === 46 ? start + 1 : start;
  const scanned =
    scanBsd(raw, marked, context.received, context.local) ?? scanIso(raw, marked, context.local);
  if (scanned === null) return null;
  const after = raw.charCodeAt(scanned.end);
  if (after === 58) return { ...scanned, end: scanned.end + 1 };
  return after === 32 || scanned.end === raw.length ? scanned : null;
};

const skipSpace = (raw: ByteString, at: number): number => {
  let position = at;
  while (raw.charCodeAt(position) === 32) position += 1;
  return position;
};

const wordEnd = (raw: ByteString, at: number): number => {
  const end = raw.indexOf(' ', at);
  return end < 0 ? raw.length : end;
};

/** Ends in `:` or has a `[`: `sshd[12]:`, `su:` — but not an IPv6 address, which has more than one colon. */
const isTag = (raw: ByteString, start: number, end: number): boolean => {
  const word = raw.slice(start, end);
  if (word.includes('[')) return true;
  return word.indexOf(':') === word.length - 1;
};

const isHost = (raw: ByteString, start: number, end: number): boolean => {
  if (end - start > 255) return false;
  for (let i = start; i < end; i += 1) {
    const code = raw.charCodeAt(i);
    const known =
      (code >= 97 && code <= 122) ||
      (code >= 65 && code <= 90) ||
      (code >= 48 && code <= 57) ||
      code === 45 ||
      code === 46 ||
      code === 95 ||
      code === 58 ||
      code === 37 ||
      code >= 128;
    if (!known) return false;
  }
  return true;
};

type Tag = { nameEnd: number; pid: number | null; end: number };

const longestTag = 128;

/**
 * `name: `, `name[pid]: `, `name[pid] `. A word without `:` or `[…]` is part of the message: nothing tells it from one.
 */
const scanTag = (raw: ByteString, start: number): Tag | null => {
  const limit = Math.min(raw.length, start + longestTag);
  let at = start;
  for (; at < limit; at += 1) {
    const code = raw.charCodeAt(at);
    if (code === 58 || code === 91 || code <= 32) break;
  }
  if (at === start || at === limit) return null;
  const nameEnd = at;
  let pid: number | null = null;
  if (raw.charCodeAt(at) === 91) {
    const close = raw.indexOf(']', at);
    if (close < 0 || close - at > 64) return null;
    pid = asPid(raw.slice(at + 1, close));
    at = close + 1;
    if (raw.charCodeAt(at) !== 58 && raw.charCodeAt(at) !== 32 && at !== raw.length) return null;
  } else if (raw.charCodeAt(at) !== 58) return null;
  if (raw.charCodeAt(at) === 58) at += 1;
  // `12:30:05` and `http://` are no tags
  else if (nameEnd === at) return null;
  if (at < raw.length && raw.charCodeAt(at) !== 32) return null;
  return { nameEnd, pid, end: raw.charCodeAt(at) === 32 ? at + 1 : at };
};
