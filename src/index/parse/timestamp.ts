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
  const key = ((year * 16 + month) * 32 + day) * 32 + hour;
  const known = hourStarts.get(key);
  if (known !== undefined) return known + minute * 60 + second;
  const start = machineTime(year, month, day, hour, 0, 0);
  // Not where clocks are set within the hour
  if (machineTime(year, month, day, hour, 59, 59) - start !== 3599)
    return machineTime(year, month, day, hour, minute, second);
  if (hourStarts.size >= 4096) hourStarts.clear();
  hourStarts.set(key, start);
  return start + minute * 60 + second;
};

/** When hours begin: to ask the platform takes longer than all else that is done with a time. */
const hourStarts = new Map<number, number>();

const machineTime: LocalTime = (year, month, day, hour, minute, second) => {
  // Years below 100 would be taken for those of the 20th century, so the year is set by itself; on a day that it has
  const date = new Date(2000, 0, 1, hour, minute, second);
  date.setFullYear(year, month - 1, day);
  return Math.floor(date.getTime() / 1000);
};

/**
 * A zone as it is best read for a line received then: of a wall-clock hour that comes twice (clocks set back), the pass
 * that is nearer to the receive time. An hour that never was (clocks set forward) is read as if they had not been.
 */
export const nearestPass =
  (received: Micros, local: LocalTime): LocalTime =>
  (year, month, day, hour, minute, second) => {
    const first = local(year, month, day, hour, minute, second);
    if (received / 1_000_000 - first <= 1800) return first;
    const next = local(year, month, day, hour + 1, minute, second);
    return next - first === 7200 ? first + 3600 : first;
  };

export const utc: LocalTime = (year, month, day, hour, minute, second) =>
  daysFromCivil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;

/** A time found in a line, and where it ends. */
export type Scanned = { time: Micros; end: number; guessed: number };

/** In ISO 8601, and where it begins. */
export type ScannedIso = Scanned & { start: number };

/** Days since 1970-01-01 in the Gregorian calendar. (Howard Hinnant, chrono-compatible low-level date algorithms) */
const daysFromCivil = (year: number, month: number, day: number): number => {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
};

export const daysIn = (year: number, month: number): number =>
  month === 2
    ? year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
      ? 29
      : 28
    : month === 4 || month === 6 || month === 9 || month === 11
      ? 30
      : 31;

/** The value of `width` decimal digits at `at`, or -1. */
export const digits = (text: ByteString, at: number, width: number): number => {
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

export type ClockTime = { hour: number; minute: number; second: number; fraction: number; end: number };

/** `hh:mm:ss[.fraction]` */
export const scanClock = (text: ByteString, at: number): ClockTime | null => {
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

/** Seconds east of UTC, and where it ends. */
export type Offset = { seconds: number; end: number };

/** Offset from UTC in seconds: `Z`, `+hh:mm`, `+hhmm`. `null` if there is none at `at`. */
export const scanOffset = (text: ByteString, at: number): Offset | null => {
  const sign = text.charCodeAt(at);
  if (sign === 90 || sign === 122) return { seconds: 0, end: at + 1 };
  if (sign !== 43 && sign !== 45) return null;
  const hours = digits(text, at + 1, 2);
  const colon = text.charCodeAt(at + 3) === 58 ? 1 : 0;
  const minutes = digits(text, at + 3 + colon, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return null;
  return { seconds: (sign === 45 ? -1 : 1) * (hours * 3600 + minutes * 60), end: at + 5 + colon };
};

export const compose = (
  date: { year: number; month: number; day: number },
  clock: ClockTime,
  offset: Offset | null,
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
export const scanIso = (text: ByteString, at: number, local: LocalTime): ScannedIso | null =>
  scanSameDay(text, at) ?? scanAnyIso(text, at, local);

/** Of the last date that was read in full: its ten characters, and seconds since the epoch at its midnight in UTC. */
let sameDay = '\u0000';
let sameMidnight = 0;

/**
 * What nearly all timestamps are: of the same date as the last one, with `T` and an offset. Of one such line in a row
 * of millions only the digits of the time are left to be read.
 */
const scanSameDay = (text: ByteString, at: number): ScannedIso | null => {
  if (text.charCodeAt(at + 10) !== 84 || !text.startsWith(sameDay, at)) return null;
  const hour = twoDigits(text, at + 11);
  const minute = twoDigits(text, at + 14);
  const second = twoDigits(text, at + 17);
  if (!(hour <= 23 && minute <= 59 && second <= 60)) return null;
  if (text.charCodeAt(at + 13) !== 58 || text.charCodeAt(at + 16) !== 58) return null;
  let end = at + 19;
  let micro = 0;
  if (text.charCodeAt(end) === 46) {
    let scale = 100_000;
    for (end += 1; end < at + 29; end += 1) {
      const digit = text.charCodeAt(end) - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      micro += digit * scale;
      scale = scale > 1 ? scale / 10 : 0;
    }
    if (end === at + 20) return null;
  }
  let offset = 0;
  const sign = text.charCodeAt(end);
  if (sign === 90) end += 1;
  else {
    if ((sign !== 43 && sign !== 45) || text.charCodeAt(end + 3) !== 58) return null;
    const hours = twoDigits(text, end + 1);
    const minutes = twoDigits(text, end + 4);
    if (!(hours <= 23 && minutes <= 59)) return null;
    offset = (hours * 60 + minutes) * (sign === 45 ? -60 : 60);
    end += 6;
  }
  const seconds = sameMidnight + hour * 3600 + minute * 60 + second - offset;
  return { time: micros(seconds * 1_000_000 + micro), start: at, end, guessed: 0 };
};

/** NaN where there are none. */
const twoDigits = (text: ByteString, at: number): number => {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
};

const scanAnyIso = (text: ByteString, at: number, local: LocalTime): ScannedIso | null => {
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
  if (clock === null) return null;
  if (separator === 84 && dash === 45) {
    // A copy: a slice would keep the line in memory
    sameDay = Buffer.from(text.slice(at, at + 10), 'latin1').toString('latin1');
    sameMidnight = utc(year, month, day, 0, 0, 0);
  }
  const { time, end, guessed } = compose({ year, month, day }, clock, scanOffset(text, clock.end), local, 0);
  return { time, start: at, end, guessed };
};

/** Month names in lower case; those who write them out or in capitals are met too. */
const months = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
] as const;

/** By the usual three letters. */
const byAbbreviation = new Map(
  months.map((name, index) => [`${name.charAt(0).toUpperCase()}${name.slice(1, 3)}`, index + 1]),
);

export type Month = { number: number; end: number };

/** The number of the month whose usual abbreviation (`Oct`) is at `at`; 0 = none. */
export const monthAt = (text: ByteString, at: number): number => {
  const first = text.charCodeAt(at);
  // Cheap refusal: no line that starts with a month starts with anything but A D F J M N O S.
  if (!(first >= 65 && first <= 83)) return 0;
  return byAbbreviation.get(text.slice(at, at + 3)) ?? 0;
};

/** A month however it is written: `Oct`, `OCT`, `october`. */
export const scanMonth = (text: ByteString, at: number): Month | null => {
  const usual = monthAt(text, at);
  if (usual !== 0 && !isLetter(text.charCodeAt(at + 3))) return { number: usual, end: at + 3 };
  let end = at;
  while (end < at + 10 && isLetter(text.charCodeAt(end))) end += 1;
  if (end < at + 3) return null;
  const word = text.slice(at, end).toLowerCase();
  const index = months.findIndex((name) => name === word || (word.length === 3 && name.startsWith(word)));
  return index < 0 ? null : { number: index + 1, end };
};

const isLetter = (code: number): boolean => (code >= 65 && code <= 90) || (code >= 97 && code <= 122);

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
