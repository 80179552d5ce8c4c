import { micros, type Micros } from './clock.ts';

/** `2026-05-12T03:00:00.000001Z`: RFC 3339, UTC, always six decimals. */
export const formatMicros = (time: Micros): string => {
  const seconds = Math.floor(time / 1_000_000);
  const fraction = String(time - seconds * 1_000_000).padStart(6, '0');
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${fraction}Z`;
};

const pattern = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?([Zz]|[+-]\d\d:?\d\d)$/;

/** The time that an RFC 3339 timestamp names, or `null` if it is none. Digits beyond the microsecond are dropped. */
export const parseRfc3339 = (text: string): Micros | null => {
  const match = pattern.exec(text);
  if (match === null) return null;
  const [, date, time, fraction = '', zone = 'Z'] = match;
  const offset =
    zone.toUpperCase() === 'Z' ? 'Z' : zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
  const milliseconds = Date.parse(`${date}T${time}${offset}`);
  if (Number.isNaN(milliseconds)) return null;
  return micros(milliseconds * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6)));
};
