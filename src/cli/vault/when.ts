import { micros, type Micros } from '#base/clock';
import { parseRfc3339 } from '#base/rfc3339';
import { CliError } from '../errors.ts';

const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

const span = /^([1-9][0-9]{0,6})([smhdw])$/;

/** A length of time such as `400d` (s, m, h, d or w), before `now`. @throws CliError `usage` */
export const ago = (given: string, flag: string, now: Micros): Micros => {
  const match = span.exec(given);
  const unit = unitMs[match?.[2] ?? ''];
  if (match === null || unit === undefined)
    throw new CliError('usage', `${flag} takes a length of time such as 400d, 12h or 2w, not '${given}'`);
  return micros(now - Number(match[1]) * unit * 1000);
};

/** A day (from its beginning, UTC), an RFC 3339 time, or a length of time ago. @throws CliError `usage` */
export const when = (given: string, flag: string, now: Micros): Micros => {
  if (span.test(given)) return ago(given, flag, now);
  const time = parseRfc3339(/^\d{4}-\d\d-\d\d$/.test(given) ? `${given}T00:00:00Z` : given);
  if (time === null)
    throw new CliError(
      'usage',
      `${flag} takes a day (2026-05-12), a time (2026-05-12T03:00:00Z) or how long ago (30d), not '${given}'`,
    );
  return time;
};

/** `A..B`: outer entries A to B, both included. @throws CliError `usage` */
export const entryRange = (given: string): { first: number; end: number } => {
  const match = /^(\d{1,15})\.\.(\d{1,15})$/.exec(given);
  const range = { first: Number(match?.[1]), end: Number(match?.[2]) + 1 };
  if (match === null || range.end <= range.first)
    throw new CliError(
      'usage',
      `--entries takes the first and the last entry, such as 120..480, not '${given}'`,
    );
  return range;
};
