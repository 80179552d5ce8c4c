import type { ByteString } from './byte-string.ts';
import { digits, scanOffset, type Offset } from './timestamp.ts';

/** `sure` is false for a name that several zones use: the commonest is taken. */
export type Zone = Offset & { sure: boolean };

const hours = (names: Record<string, number>): [string, number][] =>
  Object.entries(names).map(([name, value]) => [name, value * 3600]);

/** Names that mean one offset: RFC 2822 §4.3, and those of the tz database that no two regions share. */
const sureNames = new Map([
  ...hours({ UTC: 0, GMT: 0, UT: 0, WET: 0, WEST: 1, CET: 1, MET: 1, CEST: 2, MEST: 2, EET: 2, SAST: 2 }),
  ...hours({ EEST: 3, MSK: 3, PKT: 5, WIB: 7, HKT: 8, AWST: 8, JST: 9, KST: 9, AEST: 10, AEDT: 11 }),
  ...hours({ NZST: 12, NZDT: 13, EST: -5, EDT: -4, CDT: -5, MST: -7, MDT: -6, PST: -8, PDT: -7 }),
  ...hours({ AKST: -9, AKDT: -8, HST: -10, NST: -3.5, NDT: -2.5, ACST: 9.5, ACDT: 10.5 }),
]);

/** `CST` is also China's, `IST` also Israel's and Ireland's, `BST` also Bangladesh's, `AST` also Arabia's. */
const sharedNames = new Map(hours({ CST: -6, IST: 5.5, BST: 1, AST: -4, ADT: -3, SST: -11, WST: 8 }));

/** A zone by name (`CEST`, `TZ-6`) or offset (`+02:00`, `-0700`, `Z`); `null` if there is none at `at`. */
export const scanZone = (text: ByteString, at: number): Zone | null => {
  const first = text.charCodeAt(at);
  if (first === 43 || first === 45) return whole(text, scanOffset(text, at));
  if (!(first >= 65 && first <= 90)) return null;
  const end = nameEnd(text, at);
  if (end - at === 1) return first === 90 ? { seconds: 0, end, sure: true } : null;
  const name = text.slice(at, end);
  if (name === 'TZ') return scanTz(text, end);
  if (end - at > 5) return null;
  const sure = sureNames.get(name);
  if (sure !== undefined) return { seconds: sure, end, sure: true };
  const shared = sharedNames.get(name);
  return shared === undefined ? null : { seconds: shared, end, sure: false };
};

/** Where the capitals end that begin at `at`. */
export const nameEnd = (text: ByteString, at: number): number => {
  let end = at;
  while (end < at + 6 && text.charCodeAt(end) >= 65 && text.charCodeAt(end) <= 90) end += 1;
  return end;
};

const whole = (text: ByteString, offset: Offset | null): Zone | null =>
  offset === null || digits(text, offset.end, 1) >= 0 ? null : { ...offset, sure: true };

/** `TZ-6` (RFC 3164 §5.4, example 4) and `TZ+05:30`. */
const scanTz = (text: ByteString, at: number): Zone | null => {
  const sign = text.charCodeAt(at);
  if (sign !== 43 && sign !== 45) return null;
  const full = whole(text, scanOffset(text, at));
  if (full !== null) return full;
  const width = digits(text, at + 1, 2) >= 0 ? 2 : 1;
  const value = digits(text, at + 1, width);
  if (value < 0 || value > 14) return null;
  return { seconds: (sign === 45 ? -1 : 1) * value * 3600, end: at + 1 + width, sure: true };
};
