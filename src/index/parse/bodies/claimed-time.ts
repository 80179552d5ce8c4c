import { micros, type Micros } from '#base/clock';
import { parseRfc3339 } from '#base/rfc3339';
import { fromText } from '../byte-string.ts';
import type { ParseContext } from '../parsed.ts';
import { scanIso } from '../timestamp.ts';

export type ClaimedTime = { time: Micros | null; guessed: number };

const noTime: ClaimedTime = { time: null, guessed: 0 };

/** A time as programs write it into JSON: RFC 3339, ISO 8601 without a zone, or a number of the epoch. */
export const claimedTime = (text: string, context: ParseContext): ClaimedTime => {
  if (text === '' || text.length > 64) return noTime;
  const time = parseRfc3339(text) ?? epochTime(text);
  if (time !== null) return { time, guessed: 0 };
  const scanned = scanIso(fromText(text), 0, context.local);
  return scanned === null ? noTime : { time: scanned.time, guessed: scanned.guessed };
};

const number = /^(\d{9,19})(?:\.(\d+))?$/;

/** Seconds, milliseconds, microseconds or nanoseconds, by how many digits it takes to be of the years 1973 to 5138. */
const epochTime = (text: string): Micros | null => {
  const match = number.exec(text);
  if (match === null) return null;
  const [, whole = '', fraction = ''] = match;
  // Digits that make a microsecond of the unit.
  const digits = whole.length <= 11 ? 6 : whole.length <= 14 ? 3 : whole.length <= 17 ? 0 : -3;
  if (digits < 0) return micros(Number(whole.slice(0, digits)));
  return safe(Number(whole + fraction.padEnd(digits, '0').slice(0, digits)));
};

/** @param nanoseconds of the epoch, as a decimal number; `0` says that there is none */
export const nanosecondTime = (nanoseconds: string): Micros | null =>
  /^\d{4,20}$/.test(nanoseconds) ? safe(Number(nanoseconds.slice(0, -3))) : null;

const safe = (time: number): Micros | null => (Number.isSafeInteger(time) && time > 0 ? micros(time) : null);
