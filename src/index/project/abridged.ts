import type { Micros } from '#base/clock';
import type { ByteString } from '../parse/byte-string.ts';
import { none } from '../parse/parsed.ts';
import { scanIso, utc, type ScannedIso } from '../parse/timestamp.ts';
import { earliest } from './decode.ts';
import type { PlainColumn } from './native/columns.ts';

/**
 * What stands before the message says again what the row's other columns say, and its timestamp is as long as some
 * messages and never the same. So it is stored with a mark in the place of each such text, and `implied` says which:
 * `<38>1 2026-05-12T03:00:00.012345+02:00 web1 sshd 812 - - ` is `<␁>1 ␂+02:00 ␃ ␄ ␅ - - `. A text is left out only
 * where it is, byte for byte, what `rawSql` makes of the columns. What has a mark of its own is stored as it is.
 */
/**
 * Bits of `implied`. `claimed`: the claimed time is the row's time. The others: what has its mark in the prefix. Above
 * them stands how many digits the time's fraction has, times `fraction`.
 */
export const Implied = { claimed: 1, priority: 2, time: 4, host: 8, app: 16, pid: 32, fraction: 64 } as const;

/** Bytes that stand in the place of what is left out. */
export const marks = { priority: 1, time: 2, host: 3, app: 4, pid: 5 } as const;

type Marked = keyof typeof marks;

/** Bits of all of them. */
const marked = Implied.priority | Implied.time | Implied.host | Implied.app | Implied.pid;

/** Columns of the row that say it again. */
export type Told = {
  facility: number;
  severity: number;
  claimed: Micros | null;
  /** The timestamp before the message, if the parser has it; else it is read again. */
  stamp: ScannedIso | null;
  host: ByteString;
  app: ByteString;
  pid: number | null;
};

/**
 * Writes what is stored of what stands before the message, which begins at `end`.
 * @returns `implied`
 */
export const abridge = (raw: ByteString, end: number, row: Told, column: PlainColumn): number => {
  left.begin(raw, end);
  const priority = row.facility === none || row.severity === none ? -1 : row.facility * 8 + row.severity;
  if (priority >= 0 && raw.charCodeAt(0) === 60)
    left.out(1, numberAt(raw, 1, priority), marks.priority, Implied.priority);
  const from = left.at + (raw.startsWith('>1 ', left.at) ? 3 : raw.charCodeAt(left.at) === 62 ? 1 : 0);
  const time = timeAt(raw, from, row);
  if (time >= 0) left.out(from, timeLength(time), marks.time, Implied.time | (time * Implied.fraction));
  let word = raw.indexOf(' ', Math.max(left.at, from)) + 1;
  if (word > 0) word = left.word(row.host, word, marks.host, Implied.host);
  if (word > 0) word = left.word(row.app, word, marks.app, Implied.app);
  if (word > 0 && row.pid !== null) left.out(word, numberAt(raw, word, row.pid), marks.pid, Implied.pid);
  return left.end(column);
};

/** The text without what is left out of it. One for all lines, so that none has memory of its own. */
class Left {
  /** What is before this has been looked at. */
  at = 0;
  private raw: ByteString = '';
  private size = 0;
  private implied = 0;
  private hasMark = false;
  /** Never more than there was: a mark is one byte. */
  private kept: Buffer = Buffer.alloc(1024);
  private length = 0;

  begin(raw: ByteString, size: number): void {
    this.at = 0;
    this.raw = raw;
    this.size = size;
    this.implied = 0;
    this.hasMark = false;
    this.length = 0;
    if (size > this.kept.length) this.kept = Buffer.alloc(2 * size);
  }

  /** Leaves the `length` bytes at `from` out, if they stand before the message and are any. */
  out(from: number, length: number, mark: number, bit: number): boolean {
    if (length === 0 || from + length > this.size) return false;
    this.keep(from);
    this.kept[this.length] = mark;
    this.length += 1;
    this.at = from + length;
    this.implied |= bit;
    return true;
  }

  /** Leaves a word out where it is this name. @returns where the next one begins, 0 where there is none */
  word(name: ByteString, from: number, mark: number, bit: number): number {
    return this.raw.startsWith(name, from) && this.out(from, name.length, mark, bit)
      ? this.at + 1
      : this.raw.indexOf(' ', from) + 1;
  }

  /** Writes what is left. @returns what was left out */
  end(column: PlainColumn): number {
    this.keep(this.size);
    if (this.hasMark || this.implied === 0) {
      column.string(this.raw.slice(0, this.size));
      return 0;
    }
    column.slice(this.kept, 0, this.length);
    return this.implied;
  }

  private keep(to: number): void {
    const { raw, kept } = this;
    let { length } = this;
    for (let i = this.at; i < to; i += 1) {
      const code = raw.charCodeAt(i);
      if (code <= marks.pid) this.hasMark = true;
      kept[length] = code;
      length += 1;
    }
    this.length = length;
  }
}

const left = new Left();

/** How many digits `value` has in decimal, if they and no other stand at `at`; else 0. */
const numberAt = (raw: ByteString, at: number, value: number): number => {
  let read = 0;
  let end = at;
  for (; end < at + 10; end += 1) {
    const digit = raw.charCodeAt(end) - 48;
    if (!(digit >= 0 && digit <= 9)) break;
    read = read * 10 + digit;
  }
  const isShortest = raw.charCodeAt(at) !== 48 || end === at + 1;
  return end > at && read === value && isShortest ? end - at : 0;
};

const dayMicros = 86_400_000_000;

/**
 * Digits of the fraction of the claimed time, if that stands here in the one form that `rawSql` writes, up to its
 * offset from UTC, which stays; else -1.
 */
const timeAt = (raw: ByteString, at: number, { claimed, stamp }: Told): number => {
  // With its offset it must not leave what the column can hold. A leap second is written as the one after it.
  if (claimed === null || claimed < earliest + dayMicros || raw.charCodeAt(at + 10) !== 84) return -1;
  if (raw.charCodeAt(at + 4) !== 45 || raw.startsWith('60', at + 17)) return -1;
  const scanned = stamp?.start === at ? stamp : scanIso(raw, at, utc);
  if (scanned === null || scanned.time !== claimed) return -1;
  const last = raw.charCodeAt(scanned.end - 1);
  const end = last === 90 ? scanned.end - 1 : hasOffset(raw, scanned.end - 6) ? scanned.end - 6 : -1;
  if (end === at + 19) return 0;
  return raw.charCodeAt(at + 19) === 46 && end > at + 20 && end <= at + 26 ? end - at - 20 : -1;
};

const timeLength = (digits: number): number => (digits === 0 ? 19 : 20 + digits);

/** `+02:00` */
const hasOffset = (raw: ByteString, at: number): boolean =>
  (raw.charCodeAt(at) === 43 || raw.charCodeAt(at) === 45) &&
  isDigit(raw.charCodeAt(at + 1)) &&
  isDigit(raw.charCodeAt(at + 2)) &&
  raw.charCodeAt(at + 3) === 58 &&
  isDigit(raw.charCodeAt(at + 4)) &&
  isDigit(raw.charCodeAt(at + 5));

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

// Each statement on the table resolves these definitions, whether it asks for them or not, and each function in them takes
// some 30 µs: so as few as it can be.
const bitOf = (name: keyof typeof Implied): string => `bitTest(implied, ${Math.log2(Implied[name])})`;
const mark = (name: Marked): string => `\\x0${marks[name]}`;

/** The claimed time, `NULL` if the line has none. */
export const claimedSql = `if(${bitOf('claimed')}, time, claimed_apart)`;

const priority = 'toString(facility * 8 + severity)';
const pid = 'toString(assumeNotNull(pid))';

/** Of a time with a fraction also the point. */
const timeDigits = `19 + intDiv(implied, ${Implied.fraction}) + (implied >= ${Implied.fraction})`;
/** What a time of day with this offset is earlier in UTC, in seconds; none where the offset is `Z`. */
const earlierSql = `86400 - toUnixTimestamp(parseDateTimeBestEffortOrZero(concat('1970-01-02T00:00:00', extract(prefix, '${mark('time')}([+-]..:..)')), 'UTC'))`;

/** What each mark stands for. */
const texts = {
  priority,
  // Of `claimed_apart` there is none where the claimed time is the row's.
  time: `substring(replaceOne(toString(addSeconds(ifNull(claimed_apart, time), ${earlierSql})), ' ', 'T'), 1, ${timeDigits})`,
  host: 'host',
  app: 'app',
  pid,
} as const satisfies Record<Marked, string>;

/** What stood before the message. Of what has marks of its own none is left out. */
const prefixSql = `if(bitAnd(implied, ${marked}) = 0, prefix, ${Object.entries(texts).reduce(
  (sql, [name, text]) => `replaceOne(${sql}, '${mark(name as Marked)}', ${text})`,
  'prefix',
)})`;

/** The exact bytes of a line. */
export const rawSql = `if(empty(whole), concat(${prefixSql}, message, suffix), whole)`;

/** By how much each is longer than its mark. */
const lengths: Record<Marked, string> = {
  priority: `length(${priority}) - 1`,
  time: `${timeDigits} - 1`,
  host: 'length(host) - 1',
  app: 'length(app) - 1',
  pid: `length(${pid}) - 1`,
};

/** How many they are; only sizes are read for it. */
export const sizeSql = `if(empty(whole), length(prefix) + length(message) + length(suffix) + ${Object.entries(
  lengths,
)
  .map(([name, length]) => `${bitOf(name as Marked)} * (${length})`)
  .join(' + ')}, length(whole))`;
