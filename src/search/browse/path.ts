import { micros, type Micros } from '#base/clock';
import { formatMicros, parseRfc3339 } from '#base/rfc3339';
import { badQuery } from '../errors.ts';

/** A place in the tree of files: `null` below it, the empty text for lines that name none. */
export type Place = { day: Micros | null; host: string | null; app: string | null };

const dayLength = 86_400_000_000;

/** The place that a path names (src/wire/browse.ts). @throws SearchError `bad-query` */
export const parsePath = (text: string, now: Micros): Place => {
  const match = /^([^/]*)(?:\/([^/]*)(?:\/(.*))?)?$/s.exec(text);
  const [, day = '', host = '', app = ''] = match ?? [];
  if (day === '') {
    if (text === '') return { day: null, host: null, app: null };
    throw badDay(day);
  }
  return {
    day: parseDay(day, now),
    host: host === '' ? null : parseName(host, day.length + 1),
    app: app === '' ? null : parseName(app, day.length + host.length + 2),
  };
};

const parseDay = (text: string, now: Micros): Micros => {
  const today = micros(Math.floor(now / dayLength) * dayLength);
  if (text === 'today') return today;
  if (text === 'yesterday') return micros(today - dayLength);
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? parseRfc3339(`${text}T00:00:00Z`) : null;
  // Date.parse takes 2026-02-30 for 2 March.
  if (day === null || dayText(day) !== text) throw badDay(text);
  return day;
};

const badDay = (text: string): Error =>
  badQuery(
    `"${text}" is no day`,
    0,
    'write DAY[/HOST[/PROGRAM]], e.g. 2026-05-12/web1/sshd, or today (days are UTC)',
  );

const parseName = (text: string, column: number): string => {
  if (text === '-') return '';
  try {
    return decodeURIComponent(text);
  } catch {
    throw badQuery(
      'a % that is not the beginning of %XX',
      column + Math.max(0, text.search(/%(?![0-9A-Fa-f]{2})/)),
      'write % itself as %25',
    );
  }
};

export const nextDay = (day: Micros): Micros => micros(day + dayLength);

/** `2026-05-12` */
export const dayText = (day: Micros): string => formatMicros(day).slice(0, 10);

/** The path of a place; `parsePath` gives the place back. */
export const formatPath = ({ day, host, app }: Place): string => {
  if (day === null) return '';
  const parts = [dayText(day)];
  if (host !== null) parts.push(nameText(host));
  if (host !== null && app !== null) parts.push(nameText(app).replaceAll('%2F', '/'));
  return parts.join('/');
};

const nameText = (name: string): string => {
  if (name === '') return '-';
  if (name === '-') return '%2D';
  return encodeURIComponent(name.toWellFormed())
    .replace(/%(?:3A|40|2B|2C|3D)/g, decodeURIComponent)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
};
