import { micros, type Clock, type Micros } from '#base/clock';
import { parseRfc3339 } from '#base/rfc3339';
import type { Index, Parameters } from '#index';
import { parseLineAddress } from '#vault/record';
import type { ContextHit } from '#wire/context';
import type { Answer, Hit } from '#wire/search';
import { answerTo } from '../answer.ts';
import { SearchError } from '../errors.ts';
import type { FreshnessReader } from '../freshness.ts';
import { hitColumns, readHits } from '../hit.ts';
import { senderIs, type Query } from '../query/expression.ts';
import { refusal } from '../refusal.ts';
import { whyMissing, type Asked } from './missing.ts';

export type Context = { address: string; before: number; after: number; hosts: 'own' | 'all' };

const second = 1_000_000;
/** Microseconds: a line's neighbours are looked for near it first, as that reads little of the table. */
const reaches = [60 * second, 3600 * second, 86_400 * second, Infinity];

/**
 * The line of an address with those before and after it by `time`: of its host, or of all hosts in its second. Lines of
 * Holdfast's own are among them only if it is one.
 * @throws SearchError `bad-request` where there is no such line
 */
export const contextOf = async (
  index: Index,
  asked: Context,
  clock: Clock,
  freshness: FreshnessReader,
): Promise<{ hits: ContextHit[]; answer: Answer }> => {
  const started = clock.elapsed();
  const address = parseLineAddress(asked.address);
  if (address === null)
    throw new SearchError('bad-request', `"${asked.address}" is no address`, {
      suggestion: 'an address is entry:line, as "logs search --address" shows it, e.g. 12:3',
    });
  try {
    const found = await around(index, asked, address);
    const { hits, query, count } = found;
    return { hits, answer: await answerTo(index, { query, shown: hits, count, started }, clock, freshness) };
  } catch (error) {
    throw refusal(error);
  }
};

type Found = { hits: ContextHit[]; query: Query; count: number };

const around = async (index: Index, asked: Context, address: Asked): Promise<Found> => {
  const state = index.state();
  const read = async (where: string, order: 'ASC' | 'DESC', limit: number, parameters: Parameters) =>
    readHits(
      await index.engine.binary(
        'interactive',
        `SELECT ${hitColumns} FROM lines WHERE entry < ${state.indexed} AND ${where}
        ORDER BY time ${order}, entry ${order}, line ${order}, part ${order} LIMIT ${limit}`,
        parameters,
      ),
    );
  const { entry, line, part } = address;
  const [middle] = await read(
    `entry = ${entry} AND line = ${line}${part === null ? '' : ` AND part = ${part}`}`,
    'ASC',
    1,
    {},
  );
  if (middle === undefined) throw new SearchError('bad-request', whyMissing(state, address));
  const time = timeOf(middle);
  const begin = micros(time - (time % second));
  const [least, most] = asked.hosts === 'own' ? [-Infinity, Infinity] : [begin, begin + second - 1];
  const here = `(${timeSql(time)}, ${entry}, ${line}, ${parseLineAddress(middle.address)?.part ?? 0})`;
  const own = middle.via === 'fact' || middle.via === 'self';
  const which = [
    ...(asked.hosts === 'own' ? ['host = {host:String}'] : []),
    ...(own ? [] : ["via NOT IN ('fact', 'self')"]),
    'true',
  ].join(' AND ');
  const parameters: Parameters = asked.hosts === 'own' ? { host: middle.host ?? '' } : {};

  /** Up to `limit` lines on one side, the nearest first. */
  const side = async (order: 'ASC' | 'DESC', limit: number): Promise<Hit[]> => {
    if (limit === 0) return [];
    let found: Hit[] = [];
    for (const reach of reaches) {
      const edge = order === 'DESC' ? Math.max(least, time - reach) : Math.min(most, time + reach);
      const bounds =
        order === 'DESC'
          ? [`time <= ${timeSql(time)}`, ...(Number.isFinite(edge) ? [`time >= ${timeSql(edge)}`] : [])]
          : [`time >= ${timeSql(time)}`, ...(Number.isFinite(edge) ? [`time <= ${timeSql(edge)}`] : [])];
      found = await read(
        `${which} AND ${bounds.join(' AND ')} AND (time, entry, line, part) ${order === 'DESC' ? '<' : '>'} ${here}`,
        order,
        limit,
        parameters,
      );
      if (found.length === limit || edge === least || edge === most) break;
    }
    return found;
  };

  const before = (await side('DESC', asked.before)).toReversed();
  const after = await side('ASC', asked.after);
  const hits = [...before, { ...middle, asked: true as const }, ...after];
  const first = hits[0] ?? middle;
  const last = hits.at(-1) ?? middle;
  const query: Query = {
    expression: asked.hosts === 'own' ? senderIs('host', middle.host ?? '') : { kind: 'all' },
    since: asked.hosts === 'own' ? timeOf(first) : begin,
    until: asked.hosts === 'own' ? micros(timeOf(last) + 1) : micros(begin + second),
    around: null,
  };
  if (asked.hosts === 'own') return { hits, query, count: hits.length };
  const [total] = await index.engine.rows(
    'interactive',
    `SELECT count() AS n FROM lines WHERE entry < ${state.indexed} AND ${which}
      AND time >= ${timeSql(begin)} AND time < ${timeSql(begin + second)}`,
  );
  return { hits, query, count: Number(total?.['n'] ?? hits.length) };
};

const timeOf = (hit: Hit): Micros => {
  const time = parseRfc3339(hit.time);
  if (time === null)
    throw new SearchError('internal', `the time of ${hit.address} cannot be read: ${hit.time}`);
  return time;
};

/** Numbers only, so it may stand in the text. */
const timeSql = (time: number): string => `fromUnixTimestamp64Micro(toInt64(${time}))`;
