import type { Micros } from '#base/clock';
import type { ByteString } from './byte-string.ts';
import { Guessed } from './parsed.ts';
import {
  compose,
  daysIn,
  digits,
  monthAt,
  scanClock,
  scanMonth,
  scanOffset,
  type ClockTime,
  type LocalTime,
  type Scanned,
} from './timestamp.ts';
import { nameEnd, scanZone, type Zone } from './zone-name.ts';

/** What stood before or after the date. */
type Around = { year: number; zone: Zone | null; end: number };

const none = -1;

/**
 * RFC 3164's `Mmm dd hh:mm:ss`, and what is sent for it: a weekday, a year or a zone before it; a year within it
 * (`Oct 11 2026 22:14:15`); a fraction; a year or a zone, in either order, after it. A missing year is the latest that
 * puts the time no more than a day after `received`: a line from 31 December that comes on 1 January is last year's.
 */
export const scanBsd = (text: ByteString, at: number, received: Micros, local: LocalTime): Scanned | null => {
  // What most lines begin with, and what follows in most of them, is told by a character or two
  const usual = text.charCodeAt(at + 3) === 32 ? monthAt(text, at) : 0;
  const before = usual === 0 ? scanBefore(text, at) : { year: none, zone: null, end: at };
  const month = usual === 0 ? scanMonth(text, before.end) : { number: usual, end: at + 3 };
  if (month === null || text.charCodeAt(month.end) !== 32) return null;
  let position = month.end + 1;
  if (text.charCodeAt(position) === 32) position += 1;
  const width = digits(text, position, 2) >= 0 ? 2 : 1;
  const dayOfMonth = digits(text, position, width);
  position += width;
  if (dayOfMonth < 1 || dayOfMonth > daysIn(2000, month.number) || text.charCodeAt(position) !== 32)
    return null;
  position += 1;
  let { year } = before;
  if (year === none) {
    year = yearAt(text, position);
    if (year !== none) position += 5;
  }
  const clock = scanClock(text, position);
  if (clock === null) return null;
  const around: Around = { year, zone: before.zone, end: clock.end };
  const after = mayGoOn(text, clock.end) ? scanAfter(text, around) : around;
  const date = { month: month.number, day: dayOfMonth };
  const found =
    after.year === none
      ? withGuessedYear(date, clock, after.zone, received, local)
      : dayOfMonth > daysIn(after.year, month.number)
        ? null
        : compose({ ...date, year: after.year }, clock, after.zone, local, 0);
  if (found === null) return null;
  const unsure = after.zone !== null && !after.zone.sure ? Guessed.zone : 0;
  return { time: found.time, end: after.end, guessed: found.guessed | unsure };
};

/** A year that a log may have, followed by a space. */
const yearAt = (text: ByteString, at: number): number => {
  const year = digits(text, at, 4);
  return year >= 1970 && year < 2100 && text.charCodeAt(at + 4) === 32 ? year : none;
};

const weekday = /(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,? /iy;

const scanBefore = (text: ByteString, at: number): Around => {
  const around: Around = { year: none, zone: null, end: at };
  for (let words = 0; words < 3; words += 1) {
    const { end } = around;
    const first = text.charCodeAt(end);
    if (first >= 48 && first <= 57) {
      const year = around.year === none ? yearAt(text, end) : none;
      if (year === none) return around;
      around.year = year;
      around.end = end + 5;
      continue;
    }
    // What a month begins with is most often one
    if (scanMonth(text, end) !== null) return around;
    const zone = around.zone === null ? scanZone(text, end) : null;
    if (zone !== null && text.charCodeAt(zone.end) === 32) {
      around.zone = zone;
      around.end = zone.end + 1;
      continue;
    }
    weekday.lastIndex = end;
    if (!weekday.test(text)) return around;
    around.end = weekday.lastIndex;
  }
  return around;
};

/** A year or a zone begins with a digit, a sign or a capital. */
const mayGoOn = (text: ByteString, end: number): boolean => {
  if (text.charCodeAt(end) !== 32) return true;
  const next = text.charCodeAt(end + 1);
  return (next >= 48 && next <= 57) || (next >= 65 && next <= 90) || next === 43 || next === 45;
};

const scanAfter = (text: ByteString, around: Around): Around => {
  if (around.zone === null) {
    const attached = scanOffset(text, around.end);
    if (attached !== null && ends(text, attached.end)) {
      around.zone = { ...attached, sure: true };
      around.end = attached.end;
    }
  }
  for (let words = 0; words < 2 && text.charCodeAt(around.end) === 32; words += 1) {
    const start = around.end + 1;
    const year = around.year === none ? yearAt(text, start) : none;
    if (year !== none) {
      around.year = year;
      around.end = start + 4;
      continue;
    }
    const zone = around.zone === null ? scanZone(text, start) : null;
    if (zone !== null && isZoneWord(text, zone.end)) {
      around.zone = zone;
      around.end = zone.end;
    } else if (zone === null && around.zone === null) {
      // Cisco lets people name their zones as they like
      const end = nameEnd(text, start);
      if (end < start + 2 || !isBeforeMnemonic(text, end)) break;
      around.end = end;
    } else break;
  }
  return around;
};

const ends = (text: ByteString, at: number): boolean => {
  const code = text.charCodeAt(at);
  return at >= text.length || code === 32 || code === 58;
};

/** A zone is followed by more of the header. With a colon it is one only before Cisco's `%`: else it is a tag. */
const isZoneWord = (text: ByteString, end: number): boolean =>
  text.charCodeAt(end) === 32 ? end + 1 < text.length : isBeforeMnemonic(text, end);

/** IOS-XR has its process between the two. */
const beforeMnemonic = /: (?:[\w./-]{1,64}\[\d{1,10}\]: ?)?%[A-Z]/y;

const isBeforeMnemonic = (text: ByteString, end: number): boolean => {
  beforeMnemonic.lastIndex = end;
  return text.charCodeAt(end) === 58 && beforeMnemonic.test(text);
};

const day = 86_400_000_000;

/** The year in UTC: two days ahead, it is the last that a time up to a day ahead can have, in whatever zone. */
const yearOf = (time: number): number => {
  if (!(time >= knownYear.start && time < knownYear.end)) {
    const year = new Date(time / 1000).getUTCFullYear();
    knownYear = { year, start: Date.UTC(year, 0) * 1000, end: Date.UTC(year + 1, 0) * 1000 };
  }
  return knownYear.year;
};

let knownYear = { year: 0, start: 0, end: 0 };

const withGuessedYear = (
  date: { month: number; day: number },
  clock: ClockTime,
  zone: Zone | null,
  received: Micros,
  local: LocalTime,
): Scanned | null => {
  const newest = yearOf(received + 2 * day);
  // Nine years reach a 29 February across a century year without one.
  for (let year = newest; year > newest - 10; year -= 1) {
    if (date.day > daysIn(year, date.month)) continue;
    const scanned = compose({ ...date, year }, clock, zone, local, Guessed.year);
    if (scanned.time <= received + day) return scanned;
  }
  return null;
};
