import { parseRfc3339 } from '#base/rfc3339';
import { toBytes, type ByteString } from './byte-string.ts';
import { flatten, isObject, mostFields, pushScalars, type JsonObject } from './fields.ts';
import { none, type Parsed } from './parsed.ts';
import { severityNumber } from './priority.ts';

const cookie = '@cee:';
/** What is longer is not looked into. */
const longest = 256 * 1024;

/** Where the text of the message stands; it is in the message itself, so it becomes no field. */
const texts = new Set(['msg', 'message']);
const times = ['time', 'timestamp', '@timestamp', 'ts'];
const levels = ['level', 'severity', 'log.level', 'levelname'];

/**
 * A message that is one JSON object, or CEE's `@cee: {…}`: its scalars become fields, nested ones with dotted names.
 * Time and severity are taken from it where the line's own header has none. The message stays the JSON text, so that
 * words are found in all of it, without the cookie.
 * @returns whether it was one
 */
export const readJson = (raw: ByteString, parsed: Parsed): boolean => {
  let start = parsed.messageStart;
  if (raw.startsWith(cookie, start)) {
    start += cookie.length;
    while (raw.charCodeAt(start) === 32) start += 1;
  }
  if (raw.charCodeAt(start) !== 123 || parsed.messageEnd - start > longest) return false;
  let end = parsed.messageEnd;
  while (end > start && raw.charCodeAt(end - 1) === 32) end -= 1;
  if (raw.charCodeAt(end - 1) !== 125) return false;
  const object = parseObject(raw.slice(start, end));
  if (object === null) return false;
  const scalars = flatten(object, mostFields);
  pushScalars(
    parsed.fields,
    scalars.filter(([name]) => !texts.has(name)),
  );
  if (parsed.claimed === null) parsed.claimed = parseRfc3339(first(scalars, times));
  if (parsed.severity === none) parsed.severity = severityNumber(first(scalars, levels)) ?? none;
  parsed.messageStart = start;
  parsed.confidence = Math.max(parsed.confidence, 50);
  return true;
};

const parseObject = (text: ByteString): JsonObject | null => {
  try {
    const value: unknown = JSON.parse(toBytes(text).toString('utf8'));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
};

const first = (scalars: readonly [string, string][], names: readonly string[]): string =>
  scalars.find(([name]) => names.includes(name))?.[1] ?? '';
