import { micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';

/** RFC 3339 UTC with six decimals, from milliseconds since the epoch. */
export const fromMilliseconds = (milliseconds: number): string =>
  formatMicros(micros(Math.round(milliseconds * 1000)));

/** A date as archives write it (RFC 2822 with a zone name) as RFC 3339; `null` where it is none. */
export const fromRfc2822 = (text: string | null): string | null => {
  const milliseconds = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(milliseconds) ? null : fromMilliseconds(milliseconds);
};
