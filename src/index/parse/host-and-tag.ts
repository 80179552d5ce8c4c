import type { ByteString } from './byte-string.ts';
import { asPid } from './rfc5424.ts';

export const wordEnd = (raw: ByteString, at: number): number => {
  const end = raw.indexOf(' ', at);
  return end < 0 ? raw.length : end;
};

/** `sshd[12]:`, `su:`, `app[x]`: but not an IPv6 address, which has more than one colon, nor one in brackets. */
export const isTagWord = (raw: ByteString, start: number, end: number): boolean => {
  for (let i = start; i < end; i += 1) {
    const code = raw.charCodeAt(i);
    if (code === 91) return i > start;
    if (code === 58) return i === end - 1 || raw.slice(i + 1, end).includes('[');
  }
  return false;
};

/** What many a program writes after the time, where a host would stand. */
const levels = new Set(
  'TRACE DEBUG INFO NOTICE WARN WARNING ERROR ERR FATAL CRIT CRITICAL ALERT EMERG SEVERE'.split(' '),
);

/**
 * A name or an address that can be a host. One with `/` or `@` (syslog-ng's chain of relays, `src@relay/web1`) is one
 * only if a tag follows it.
 */
export const isHostWord = (raw: ByteString, start: number, end: number): boolean => {
  if (end - start > 255) return false;
  const first = raw.charCodeAt(start);
  if (first === 91) return ipv6.test(raw.slice(start, end));
  if (!isNameCode(first)) return false;
  let chained = false;
  for (let i = start + 1; i < end; i += 1) {
    const code = raw.charCodeAt(i);
    if (isNameCode(code) || code === 45 || code === 46) continue;
    if (code !== 47 && code !== 64) return false;
    chained = true;
  }
  if (end - start <= 8 && levels.has(raw.slice(start, end))) return false;
  return !chained || isTagWord(raw, end + 1, wordEnd(raw, end + 1));
};

const ipv6 = /^\[[0-9A-Fa-f:.]{2,45}(?:%\w{1,16})?\]$/;

/** Letters, digits, `_`, `:`, `%` (an IPv6 address with its zone), and bytes beyond ASCII. */
const isNameCode = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  (code >= 48 && code <= 58) ||
  code === 95 ||
  code === 37 ||
  code >= 128;

export type Tag = { nameEnd: number; pid: number | null; end: number };

const longestTag = 128;

/**
 * `name: `, `name[pid]: `, `name[pid] `. A word without `:` or `[…]` is part of the message: nothing tells it from one.
 */
export const scanTag = (raw: ByteString, start: number): Tag | null => {
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
    if (raw.charCodeAt(at) !== 58 && raw.charCodeAt(at) > 32) return null;
  } else if (raw.charCodeAt(at) !== 58) return null;
  if (raw.charCodeAt(at) === 58) at += 1;
  // `12:30:05` and `http://` are no tags
  else if (nameEnd === at) return null;
  if (at < raw.length && raw.charCodeAt(at) > 32) return null;
  return { nameEnd, pid, end: raw.charCodeAt(at) === 32 ? at + 1 : at };
};
