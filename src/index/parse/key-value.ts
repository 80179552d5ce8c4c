import type { ByteString } from './byte-string.ts';
import { boundValue, mostFields } from './fields.ts';

const longestKey = 64;
/** Further into a message, and after so many pairs, nothing is looked for. */
const farthest = 64 * 1024;
const mostLookedAt = 4 * mostFields;

/** By code: 1 = may stand within a key, 2 = may begin one, 4 = may stand before one. */
const kinds = new Uint8Array(256);
for (const [characters, kind] of [
  ['0123456789.-@', 1],
  ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_', 3],
  [' \t,;([{<|"\'\u001d', 4],
] as const)
  for (const character of characters) kinds[character.charCodeAt(0)] = kind;

/**
 * Takes `key=value` pairs out of a message: logfmt, and what firewalls, PAM and mail servers write. A value is quoted
 * (`"…"` with `\"`, `'…'`), in angle brackets, or goes to the next space; the comma, semicolon or bracket that ends it
 * is no part of it. A key begins with a letter or `_` after a space, comma or bracket, so that `?a=1&b=2` within a URL is
 * left alone. Pairs without a value are left out, and so are `msg` and `message`, which are in the message themselves.
 */
export const readPairs = (raw: ByteString, start: number, messageEnd: number, fields: ByteString[]): void => {
  const end = Math.min(messageEnd, start + farthest);
  let equals = raw.indexOf('=', start);
  const most = fields.length + 2 * mostFields;
  // Behind the last value: no key begins before it
  let free = start;
  let looked = 0;
  while (equals >= 0 && equals < end && fields.length < most && looked < mostLookedAt) {
    const key = keyStart(raw, free, equals);
    if (key === equals) {
      equals = raw.indexOf('=', equals + 1);
      continue;
    }
    looked += 1;
    const open = raw.charCodeAt(equals + 1);
    let from = equals + 1;
    let to = -1;
    if (open === 34 || open === 39 || open === 60) {
      from += 1;
      to = open === 34 ? quoteEnd(raw, from, end) : raw.indexOf(open === 39 ? "'" : '>', from);
      if (to >= end) to = -1;
      free = to + 1;
    }
    let next = -1;
    if (to < 0) {
      to = wordEnd(raw, from, end);
      next = raw.indexOf('=', from);
      if (next >= 0 && next < to) {
        // `a=1,b=2`: a comma or semicolon parts them; `a=b=c` is one pair
        let cut = next;
        while (cut > from && raw.charCodeAt(cut) !== 44 && raw.charCodeAt(cut) !== 59) cut -= 1;
        if (cut > from) to = cut;
      }
      free = to;
      to = trimmed(raw, from, to);
    }
    if (to > from && !isText(raw, key, equals)) {
      const value = raw.slice(from, to);
      fields.push(
        raw.slice(key, equals),
        boundValue(open === 34 && value.includes('\\') ? value.replace(/\\(["\\])/g, '$1') : value),
      );
    }
    equals = next >= free ? next : raw.indexOf('=', free > equals ? free : equals + 1);
  }
};

/** Where the key begins that ends at `equals`, or `equals` if there is none. */
const keyStart = (raw: ByteString, free: number, equals: number): number => {
  let at = equals;
  const limit = Math.max(free, equals - longestKey);
  while (at > limit && ((kinds[raw.charCodeAt(at - 1)] ?? 0) & 1) !== 0) at -= 1;
  if (at === equals || ((kinds[raw.charCodeAt(at)] ?? 0) & 2) === 0) return equals;
  return at > free && ((kinds[raw.charCodeAt(at - 1)] ?? 0) & 4) === 0 ? equals : at;
};

const wordEnd = (raw: ByteString, from: number, end: number): number => {
  let at = from;
  for (; at < end; at += 1) {
    const code = raw.charCodeAt(at);
    if (code <= 32) break;
  }
  return at;
};

/** Without the punctuation that ends a value in a sentence or a list. */
const trimmed = (raw: ByteString, from: number, end: number): number => {
  let to = end;
  for (; to > from; to -= 1) {
    const code = raw.charCodeAt(to - 1);
    if (code === 44 || code === 59 || code === 34 || code === 39) continue;
    const opening = code === 41 ? '(' : code === 93 ? '[' : code === 125 ? '{' : code === 62 ? '<' : '';
    if (opening === '' || raw.slice(from, to - 1).includes(opening)) break;
  }
  return to;
};

/** The `"` that no `\` stands before, or -1. */
const quoteEnd = (raw: ByteString, from: number, end: number): number => {
  let at = raw.indexOf('"', from);
  while (at >= 0 && at < end) {
    let slashes = 0;
    while (at - slashes > from && raw.charCodeAt(at - slashes - 1) === 92) slashes += 1;
    if (slashes % 2 === 0) return at;
    at = raw.indexOf('"', at + 1);
  }
  return -1;
};

const isText = (raw: ByteString, key: number, equals: number): boolean =>
  (equals - key === 3 && raw.startsWith('msg', key)) ||
  (equals - key === 7 && raw.startsWith('message', key));
