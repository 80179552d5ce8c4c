import { micros, type Micros } from '#base/clock';
import { parseRfc3339 } from '#base/rfc3339';
import { badQuery } from '../errors.ts';
import type { Value } from './tokens.ts';

const units: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const day = 86_400_000_000;

/** `90s`, `1h30m`, `2 hours` in microseconds; `null` if the text is no duration. */
export const parseDuration = (text: string): number | null => {
  const part =
    /\s*(\d{1,7})\s*(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)(?![A-Za-z])/giy;
  let seconds = 0;
  let end = 0;
  for (let match = part.exec(text); match !== null; match = part.exec(text)) {
    seconds += Number(match[1]) * (units[match[2]?.[0]?.toLowerCase() ?? ''] ?? 0);
    end = part.lastIndex;
  }
  return end === text.length && end > 0 ? seconds * 1_000_000 : null;
};

/**
 * The time that `since:` or `until:` names: `10m`, `1h30m` or `"2 hours ago"` (s, m, h, d, w), `now`, `today`,
 * `yesterday`, the last `03:00`, `May 12[ 03:00]`, RFC 3339, or `YYYY-MM-DD[ HH:MM[:SS]]`; without a zone in UTC. `until:`
 * a day includes that day.
 * @throws SearchError `bad-query`
 */
export const parseWhen = (field: 'since' | 'until', { text, column }: Value, now: Micros): Micros => {
  const time = relative(text, now) ?? wholeDay(field, text, now) ?? absolute(field, text, now);
  if (time !== null) return time;
  throw badQuery(
    `"${text}" is no time`,
    column,
    `write ${field}:10m, ${field}:2h, ${field}:3d, ${field}:today, ${field}:03:00, ${field}:2026-05-12, ${field}:"2026-05-12 03:00" or ${field}:2026-05-12T03:00:00Z (times are UTC)`,
  );
};

const relative = (text: string, now: Micros): Micros | null => {
  if (text === 'now') return now;
  const ago = parseDuration(text.replace(/\s+ago$/, '').replace(/^-/, ''));
  return ago === null ? null : micros(now - ago);
};

const wholeDay = (field: 'since' | 'until', text: string, now: Micros): Micros | null => {
  const today = micros(now - (now % day));
  const begin =
    text === 'today'
      ? today
      : text === 'yesterday'
        ? micros(today - day)
        : /^\d{4}-\d\d-\d\d$/.test(text)
          ? calendarTime(`${text}T00:00:00Z`)
          : lastOf(text, now, '00:00:00Z');
  return begin === null ? null : field === 'until' ? micros(begin + day) : begin;
};

const absolute = (field: 'since' | 'until', text: string, now: Micros): Micros | null => {
  const [, date = '', time, seconds = ':00', zone = 'Z'] =
    /^(?:(\d{4}-\d\d-\d\d|[A-Za-z]{3} +\d\d?)[Tt\s]\s*)?(\d\d:\d\d)(:\d\d(?:[.,]\d+)?)?\s*([Zz]|[+-]\d\d:?\d\d|UTC)?$/.exec(
      text,
    ) ?? [];
  if (time === undefined) return null;
  const clock = `${time}${seconds}${zone === 'UTC' ? 'Z' : zone}`;
  if (/^\d/.test(date)) return calendarTime(`${date}T${clock}`);
  // What is to come of today may be meant by the end of a range.
  if (date !== '') return lastOf(date, field === 'until' ? micros(now - (now % day) + day - 1) : now, clock);
  const some = parseRfc3339(`${new Date(now / 1000).toISOString().slice(0, 10)}T${clock}`);
  // In its zone it may be tomorrow already, or still yesterday.
  return some === null ? null : micros(now - ((((now - some) % day) + day) % day));
};

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** A day without a year, as a line of syslog has it (`May 12`): the last one up to `latest`. */
const lastOf = (text: string, latest: Micros, clock: string): Micros | null => {
  const [, name = '', date = ''] = /^([A-Za-z]{3})\s+(\d\d?)$/.exec(text) ?? [];
  const month = months.indexOf(name.toLowerCase()) + 1;
  if (month === 0) return null;
  const year = new Date(latest / 1000).getUTCFullYear();
  // A leap day is at most eight years away.
  for (let back = 0; back <= 8; back += 1) {
    const found = calendarTime(
      `${year - back}-${String(month).padStart(2, '0')}-${date.padStart(2, '0')}T${clock}`,
    );
    if (found !== null && found <= latest) return found;
  }
  return null;
};

/** RFC 3339, of a day that the calendar has: 30 February is not 2 March. */
const calendarTime = (text: string): Micros | null => {
  const date = text.slice(0, 10);
  const midnight = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== date) return null;
  return parseRfc3339(text);
};
