import { micros, type Clock } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { Index } from '#index';
import type { Answer } from '#wire/search';
import type { Branch } from '#wire/browse';
import { answerTo } from '../answer.ts';
import type { FreshnessReader } from '../freshness.ts';
import { refusal } from '../refusal.ts';
import { dayText, formatPath, parsePath, type Place } from './path.ts';
import { linesOf, queryOf } from './place.ts';

const mostNames = 10_000;

/** What lies below a path, and what can be said of it. @throws SearchError */
export const branches = async (
  index: Index,
  path: string,
  clock: Clock,
  freshness: FreshnessReader,
): Promise<{ branches: Branch[]; answer: Answer }> => {
  const started = clock.elapsed();
  const place = parsePath(path, clock.now());
  const rows = await countNames(index, place);
  const below = rows.slice(0, mostNames).map((row) => branchOf(place, row));
  const last = below.at(-1);
  if (last !== undefined && rows.length > mostNames) last.others = Number(rows[0]?.['names']) - mostNames;
  const count = below.reduce((sum, { lines }) => sum + lines, 0);
  return {
    branches: below,
    answer: await answerTo(index, { query: queryOf(place), shown: [], count, started }, clock, freshness),
  };
};

const countNames = async (index: Index, place: Place): Promise<Record<string, unknown>[]> => {
  const { where, parameters } = linesOf(place, index.state().indexed);
  const name = nameSql(place);
  try {
    return await index.engine.rows(
      'interactive',
      `SELECT ${name} AS name, count() AS n, sum(size) AS bytes, toUnixTimestamp64Micro(min(time)) AS first,
        toUnixTimestamp64Micro(max(time)) AS last, count() OVER () AS names
      FROM lines WHERE ${where} GROUP BY name ORDER BY name LIMIT ${mostNames + 1}`,
      parameters,
    );
  } catch (error) {
    throw refusal(error);
  }
};

const nameSql = ({ day, host }: Place): string =>
  day === null
    ? `toUnixTimestamp64Micro(toDateTime64(toStartOfDay(time), 6, 'UTC'))`
    : host === null
      ? 'host'
      : 'app';

const branchOf = (place: Place, row: Record<string, unknown>): Branch => {
  const name = String(row['name']);
  const day = place.day ?? micros(Number(name));
  const host = place.day === null ? null : (place.host ?? name);
  const app = place.host === null ? null : name;
  return {
    path: formatPath({ day, host, app }),
    day: dayText(day),
    ...(host === null ? {} : { host: host === '' ? null : host }),
    ...(app === null ? {} : { app: app === '' ? null : app }),
    lines: Number(row['n']),
    bytes: Number(row['bytes']),
    first: formatMicros(micros(Number(row['first']))),
    last: formatMicros(micros(Number(row['last']))),
  };
};
