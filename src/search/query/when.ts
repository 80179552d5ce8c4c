import { micros, type Micros } from '#base/clock';
import { parseRfc3339 } from '#base/rfc3339';
import { badQuery } from '../errors.ts';
import type { Value } from './tokens.ts';

const units: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const day = 86_400_000_000;

/**
 * The time that `since:` or `until:` names: `10m` (ago; s, m, h, d, w), RFC 3339, or `YYYY-MM-DD[ HH:MM[:SS]]` in UTC.
 * `until:` a bare date includes that day.
 * @throws SearchError `bad-query`
 */
export const parseWhen = (field: 'since' | 'until', { text, column }: Value, now: Micros): Micros => {
  const relative = /^(\d{1,7})([smhdw])$/.exec(text);
  if (relative !== null)
    return micros(now - Number(relative[1]) * (units[relative[2] ?? 's'] ?? 1) * 1_000_000);
  if (text === 'now') return now;
  const date = /^\d{4}-\d\d-\d\d$/.test(text) ? parseRfc3339(`${text}T00:00:00Z`) : null;
  if (date !== null) return field === 'until' ? micros(date + day) : date;
  const minutes = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?$/.exec(text);
  const absolute =
    minutes === null
      ? parseRfc3339(text)
      : parseRfc3339(`${minutes[1]}T${minutes[2]}${minutes[3] ?? ':00'}Z`);
  if (absolute !== null) return absolute;
  throw badQuery(
    `"${text}" is no time`,
    column,
    `write ${field}:10m, ${field}:2h, ${field}:3d, ${field}:2026-05-12, ${field}:"2026-05-12 03:00" or ${field}:2026-05-12T03:00:00Z (times are UTC)`,
  );
};
