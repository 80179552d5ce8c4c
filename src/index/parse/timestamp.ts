import { micros, type Micros } from '#base/clock';
import type { ByteString } from './byte-string.ts';
import { Guessed } from './parsed.ts';

/** Seconds since the epoch for a wall-clock time without a zone. Month is 1–12. */
export type LocalTime = (
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
) => number;

/** The zone of this machine, as syslog daemons read times without one. */
export const machineZone: LocalTime = (year, month, day, hour, minute, second) => {
  const date = new Date(2000, month - 1, day, hour, minute, second);
  date.setFullYear(year, month - 1, day);
  return Math.floor(date.getTime() / 1000);
};

export const utc: LocalTime = (year, month, day, hour, minute, second) =>
  daysFromCivil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;

/** A time found in a line, and where it ends. */
export type Scanned = { time: Micros; end: number; guessed: number };

/** Days since 1970-01-01 in the Gregorian calendar. (Howard Hinnant, chrono-compatible low-level date algorithms) */
const daysFromCivil = (year: number, month: number, day: number): number => {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
};

const daysIn = (year: number, month: number): number =>
  month === 2
    ? year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
      ? 29
      : 28
    : month === 4 || month === 6 || month === 9 || month === 11
      ? 30
      : 31;

/** `width` decimal digits at `at`, or -1. */
const digits = (text: ByteString, at: number, width: number): number => {
  let value = 0;
  for (let i = at; i < at + width; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
};

/** Digits of a fraction of a second after its point; those beyond the microsecond are dropped. */
const fraction = (text: ByteString, at: number): { value: number; end: number } => {
  let value = 0;
  let scale = 100_000;
  let i = at;
  for (; i < at + 9; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) break;
    if (scale >= 1) value += digit * scale;
    scale = scale > 1 ? scale / 10 : 0;
  }
  return { value, end: i };
};

type ClockTime = { hour: number; minute: number; second: number; fraction: number; end: number };

/** `hh:mm:ss[.fraction]` */
const scanClock = (text: ByteString, at: number): ClockTime | null => {
  const hour = digits(text, at, 2);
  const minute = digits(text, at + 3, 2);
  const second = digits(text, at + 6, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return null;
  if (text.charCodeAt(at + 2) !== 58 || text.charCodeAt(at + 5) !== 58) return null;
  const point = text.charCodeAt(at + 8);
  const digit = text.charCodeAt(at + 9) - 48;
  if ((point === 46 || point === 44) && digit >= 0 && digit <= 9) {
    const { value, end } = fraction(text, at + 9);
    return { hour, minute, second, fraction: value, end };
  }
  return { hour, minute, second, fraction: 0, end: at + 8 };
};

/** Offset from UTC in seconds: `Z`, `+hh:mm`, `+hhmm`. `null` if there is none at `at`. */
const scanOffset = (text: ByteString, at: number): { seconds: number; end: number } | null => {
  const sign = text.charCodeAt(at);
  if (sign === 90 || sign === 122) return { seconds: 0, end: at + 1 };
  if (sign !== 43 && sign !== 45) return null;
  const hours = digits(text, at + 1, 2);
  const colon = text.charCodeAt(at + 3) === 58 ? 1 : 0;
  const minutes = digits(text, at + 3 + colon, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return null;
  return { seconds: (sign === 45 ? -1 : 1) * (hours * 3600 + minutes * 60), end: at + 5 + colon };
};

const compose = (
  date: { year: number; month: number; day: number },
  clock: ClockTime,
  offset: { seconds: number; end: number } | null,
  local: LocalTime,
  guessed: number,
): Scanned => {
  const { year, month, day } = date;
  const { hour, minute, second } = clock;
  const seconds =
    offset === null
      ? local(year, month, day, hour, minute, second)
      : utc(year, month, day, hour, minute, second) - offset.seconds;
  return {
    time: micros(seconds * 1_000_000 + clock.fraction),
    end: offset === null ? clock.end : offset.end,
    guessed: offset === null ? guessed | Guessed.zone : guessed,
  };
};

/** ISO 8601 as logs write it: `2026-05-12T03:00:00[.fraction][Z|±hh[:]mm]`, also with a space or with slashes. */
export const scanIso = (text: ByteString, at: number, local: LocalTime): Scanned | null => {
  const year = digits(text, at, 4);
  const month = digits(text, at + 5, 2);
  const day = digits(text, at + 8, 2);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null;
  const dash = text.charCodeAt(at + 4);
  if ((dash !== 45 && dash !== 47) || text.charCodeAt(at + 7) !== dash) return null;
  const separator = text.charCodeAt(at + 10);
  if (separator !== 84 && separator !== 116 && separator !== 32) return null;
  // apt's history.log puts two spaces between date and time
  const gap = separator === 32 && text.charCodeAt(at + 11) === 32 ? 12 : 11;
  const clock = scanClock(text, at + gap);
  return clock === null ? null : compose({ year, month, day }, clock, scanOffset(text, clock.end), local, 0);
};

/** Month names by their letters' codes. */
const months = new Map(
  ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'].map((name, index) => [
    name,
    index + 1,
  ]),
);

const monthAt = (text: ByteString, at: number): number => {
  const first = text.charCodeAt(at);
  // Cheap refusal: no line that starts with a month starts with anything but A D F J M N O S.
  if (!(first >= 65 && first <= 83)) return 0;
  return months.get(text.slice(at, at + 3)) ?? 0;
};

/**
 * RFC 3164's `Mmm dd hh:mm:ss`, with the dialects `Mmm dd yyyy hh:mm:ss` (Cisco) and a fraction.
 * A missing year is the latest that puts the time no more than a day after `received`: a line from 31 December that
 * comes on 1 January is last year's.
 */
export const scanBsd = (text: ByteString, at: number, received: Micros, local: LocalTime): Scanned | null => {
  const month = monthAt(text, at);
  if (month === 0 || text.charCodeAt(at + 3) !== 32) return null;
  let position = at + 4;
  if (text.charCodeAt(position) === 32) position += 1;
  let day = digits(text, position, 2);
  if (day >= 0) position += 2;
  else {
    day = digits(text, position, 1);
    position += 1;
  }
  if (day < 1 || day > daysIn(2000, month) || text.charCodeAt(position) !== 32) return null;
  position += 1;
  const year = digits(text, position, 4);
  if (year > 0 && text.charCodeAt(position + 4) === 32) {
    const clock = scanClock(text, position + 5);
    return clock === null || day > daysIn(year, month)
      ? null
      : compose({ year, month, day }, clock, null, local, 0);
  }
  const clock = scanClock(text, position);
  return clock === null ? null : withGuessedYear(month, day, clock, received, local);
};

const day = 86_400_000_000;

const withGuessedYear = (
  month: number,
  dayOfMonth: number,
  clock: ClockTime,
  received: Micros,
  local: LocalTime,
): Scanned | null => {
  const newest = new Date(received / 1000 + 86_400_000).getUTCFullYear() + 1;
  // Nine years reach a 29 February across a century year without one.
  for (let year = newest; year > newest - 10; year -= 1) {
    if (dayOfMonth > daysIn(year, month)) continue;
    const scanned = compose({ year, month, day: dayOfMonth }, clock, null, local, Guessed.year);
    if (scanned.time <= received + day) return scanned;
  }
  return null;
};

/** Common Log Format, without its bracket: `12/May/2026:03:00:00 +0200`. */
export const scanCommonLog = (text: ByteString, at: number, local: LocalTime): Scanned | null => {
  const dayOfMonth = digits(text, at, 2);
  const month = monthAt(text, at + 3);
  const year = digits(text, at + 7, 4);
  if (dayOfMonth < 1 || month === 0 || year < 1 || dayOfMonth > daysIn(year, month)) return null;
  if (text.charCodeAt(at + 2) !== 47 || text.charCodeAt(at + 6) !== 47 || text.charCodeAt(at + 11) !== 58)
    return null;
  const clock = scanClock(text, at + 12);
  if (clock === null) return null;
  return compose(
    { year, month, day: dayOfMonth },
    clock,
    text.charCodeAt(clock.end) === 32 ? scanOffset(text, clock.end + 1) : null,
    local,
    0,
  );
};

/** Apache's error log, without its bracket: `Tue May 12 03:00:00.123456 2026`. */
export const scanCtime = (text: ByteString, at: number, local: LocalTime): Scanned | null => {
  if (text.charCodeAt(at + 3) !== 32) return null;
  const month = monthAt(text, at + 4);
  const dayOfMonth = text.charCodeAt(at + 8) === 32 ? digits(text, at + 9, 1) : digits(text, at + 8, 2);
  if (month === 0 || dayOfMonth < 1) return null;
  const clock = scanClock(text, at + 11);
  if (clock === null) return null;
  const year = digits(text, clock.end + 1, 4);
  if (year < 1 || dayOfMonth > daysIn(year, month)) return null;
  return { ...compose({ year, month, day: dayOfMonth }, clock, null, local, 0), end: clock.end + 5 };
};
