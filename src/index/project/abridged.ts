import type { Micros } from '#base/clock';
import type { ByteString } from '../parse/byte-string.ts';
import { none } from '../parse/parsed.ts';
import { scanIso, utc } from '../parse/timestamp.ts';
import { earliest } from './decode.ts';

/**
 * What stands before the message says again what the row's other columns say, and its timestamp is as long as some
 * messages and never the same. So it is stored with a mark in the place of each such text, and `implied` says which:
 * `<38>1 2026-05-12T03:00:00.012345+02:00 web1 sshd 812 - - ` is `<␁>1 ␂+02:00 ␃ ␄ ␅ - - `. A text is left out only
 * where it is, byte for byte, what `abridgedSql` makes of the columns. What has a mark of its own is stored as it is.
 */
export type Abridged = { prefix: ByteString; implied: number };

/**
 * Bits of `implied`. `claimed`: the claimed time is the row's time. The others: what has its mark in the prefix. Above
 * them stands how many digits the time's fraction has, times `fraction`.
 */
export const Implied = { claimed: 1, priority: 2, time: 4, host: 8, app: 16, pid: 32, fraction: 64 } as const;

const marks = { priority: '\u0001', time: '\u0002', host: '\u0003', app: '\u0004', pid: '\u0005' } as const;

type Marked = keyof typeof marks;

/** Bits of all of them. */
const marked = Implied.priority | Implied.time | Implied.host | Implied.app | Implied.pid;

/** Columns of the row that say it again. */
export type Told = {
  facility: number;
  severity: number;
  claimed: Micros | null;
  host: ByteString;
  app: ByteString;
  pid: number | null;
};

/** Of what stands before the message, which begins at `end`. */
export const abridge = (raw: ByteString, end: number, row: Told): Abridged => {
  let prefix = '';
  let implied = 0;
  /** What is before this is in the prefix. */
  let at = 0;
  /** @returns whether the text stands at `from`, and is left out now */
  const leaveOut = (text: string, from: number, mark: string, bit: number): boolean => {
    if (text === '' || from + text.length > end || !raw.startsWith(text, from)) return false;
    prefix += raw.slice(at, from) + mark;
    at = from + text.length;
    implied |= bit;
    return true;
  };

  if (row.facility !== none && row.severity !== none && raw.charCodeAt(0) === 60)
    leaveOut(String(row.facility * 8 + row.severity), 1, marks.priority, Implied.priority);
  const from = at + (raw.startsWith('>1 ', at) ? 3 : raw.charCodeAt(at) === 62 ? 1 : 0);
  const time = timeAt(raw, from, row.claimed);
  if (time !== null)
    leaveOut(raw.slice(from, time.end), from, marks.time, Implied.time | (time.digits * Implied.fraction));
  let word = raw.indexOf(' ', Math.max(at, from)) + 1;
  if (word > 0)
    word = leaveOut(row.host, word, marks.host, Implied.host) ? at + 1 : raw.indexOf(' ', word) + 1;
  if (word > 0) word = leaveOut(row.app, word, marks.app, Implied.app) ? at + 1 : raw.indexOf(' ', word) + 1;
  if (word > 0 && row.pid !== null) leaveOut(String(row.pid), word, marks.pid, Implied.pid);

  if (implied === 0 || hasMark(raw, end)) return { prefix: raw.slice(0, end), implied: 0 };
  return { prefix: prefix + raw.slice(at, end), implied };
};

const hasMark = (raw: ByteString, end: number): boolean => {
  for (let i = 0; i < end; i += 1) if (raw.charCodeAt(i) <= 5) return true;
  return false;
};

const dayMicros = 86_400_000_000;

/** Where the claimed time stands in the one form that `abridgedSql` writes: up to its offset from UTC, which stays. */
const timeAt = (
  raw: ByteString,
  at: number,
  claimed: Micros | null,
): { end: number; digits: number } | null => {
  // With its offset it must not leave what the column can hold. A leap second is written as the one after it.
  if (claimed === null || claimed < earliest + dayMicros || raw.charCodeAt(at + 10) !== 84) return null;
  if (raw.charCodeAt(at + 4) !== 45 || raw.startsWith('60', at + 17)) return null;
  if (scanIso(raw, at, utc)?.time !== claimed) return null;
  let end = at + 19;
  if (raw.charCodeAt(end) === 46) {
    end += 1;
    while (isDigit(raw.charCodeAt(end))) end += 1;
  }
  const digits = Math.max(0, end - at - 20);
  const isWritten = digits <= 6 && end !== at + 20 && (raw.charCodeAt(end) === 90 || hasOffset(raw, end));
  return isWritten ? { end, digits } : null;
};

/** `+02:00` */
const hasOffset = (raw: ByteString, at: number): boolean =>
  (raw.charCodeAt(at) === 43 || raw.charCodeAt(at) === 45) &&
  isDigit(raw.charCodeAt(at + 1)) &&
  isDigit(raw.charCodeAt(at + 2)) &&
  raw.charCodeAt(at + 3) === 58 &&
  isDigit(raw.charCodeAt(at + 4)) &&
  isDigit(raw.charCodeAt(at + 5));

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

const has = (bit: number): string => `bitAnd(implied, ${bit}) != 0`;
const mark = (name: Marked): string => `char(${marks[name].charCodeAt(0)})`;

/** The claimed time, `NULL` if the line has none. */
export const claimedSql = `if(${has(Implied.claimed)}, time, claimed_apart)`;

const offset = `substring(prefix, position(prefix, ${mark('time')}) + 1, 6)`;
const offsetMinutes = `(toInt32OrZero(substring(${offset}, 2, 2)) * 60 + toInt32OrZero(substring(${offset}, 5, 2))) * transform(substring(${offset}, 1, 1), ['+', '-'], [1, -1], 0)`;
const fractionDigits = `intDiv(implied, ${Implied.fraction})`;

/** What each mark stands for. */
const texts = {
  priority: 'toString(toUInt16(facility) * 8 + severity)',
  time: `substring(replaceOne(toString(addMinutes(assumeNotNull(${claimedSql}), ${offsetMinutes})), ' ', 'T'), 1, 19 + ${fractionDigits} + (${fractionDigits} > 0))`,
  host: 'toString(host)',
  app: 'toString(app)',
  pid: 'toString(assumeNotNull(pid))',
} as const satisfies Record<Marked, string>;

/** What stood before the message. Of what has marks of its own none is left out. */
const prefixSql = `if(${has(marked)}, ${Object.entries(texts).reduce(
  (sql, [name, text]) => `replaceOne(${sql}, ${mark(name as Marked)}, ${text})`,
  'prefix',
)}, prefix)`;

/** The exact bytes of a line. */
export const rawSql = `if(empty(whole), concat(${prefixSql}, message, suffix), whole)`;

const lengths: Record<Marked, string> = {
  priority: `length(${texts.priority})`,
  time: `19 + ${fractionDigits} + (${fractionDigits} > 0)`,
  host: 'length(host)',
  app: 'length(app)',
  pid: `length(${texts.pid})`,
};

/** How many they are; only sizes are read for it. */
export const sizeSql = `toUInt64(if(empty(whole), length(prefix) + length(message) + length(suffix) + ${Object.entries(
  lengths,
)
  .map(([name, length]) => `if(${has(Implied[name as Marked])}, ${length} - 1, 0)`)
  .join(' + ')}, length(whole)))`;
