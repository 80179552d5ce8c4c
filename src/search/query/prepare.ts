import { micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { Index } from '#index';
import { badQuery } from '../errors.ts';
import { lookUpNames } from '../names.ts';
import type { Names } from './binder.ts';
import { compileQuery, type Compiled } from './compile.ts';
import type { Query } from './expression.ts';

/** A query that can be asked: what it says, and the condition on rows of `lines` that it means. */
export type Prepared = Compiled & { query: Query; names: Names };

/**
 * Looks up what a query names: senders, and the line of `around:`. They are those of now, as its relative times are of
 * when it was read: what asks again later (an alert, a tail) reads and prepares its query again.
 * @param searched a condition on `lines`: the rows that will be searched
 * @throws SearchError `bad-query`; IndexError
 */
export const prepareQuery = async (index: Index, asked: Query, searched: string): Promise<Prepared> => {
  const query = await placed(index, asked);
  const names = await lookUpNames(index, query, searched);
  return { query, names, ...compileQuery(query, names) };
};

/** `around:` as since: and until:. */
const placed = async (index: Index, query: Query): Promise<Query> => {
  const { around } = query;
  if (around === null) return query;
  const { entry, line, part, within, column } = around;
  const [row] = await index.engine.rows(
    'interactive',
    `SELECT toUnixTimestamp64Micro(time) AS at FROM lines
    WHERE entry = {entry:UInt64} AND line = {line:UInt32}${part === null ? '' : ' AND part = {part:UInt32}'} ORDER BY part LIMIT 1`,
    { entry, line, ...(part === null ? {} : { part }) },
  );
  if (row === undefined)
    throw badQuery(
      `the index has no line ${entry}:${line}${part === null ? '' : `/${part}`}`,
      column,
      `it reaches to entry ${index.state().indexed - 1}; "logs search --address" shows the addresses of lines`,
    );
  const at = Number(row['at']);
  const since = micros(Math.max(query.since ?? -Infinity, at - within));
  const until = micros(Math.min(query.until ?? Infinity, at + within + 1));
  if (since >= until)
    throw badQuery(
      'no time is both around that line and between since: and until:',
      column,
      `the line is of ${formatMicros(micros(at))}`,
    );
  return { ...query, since, until, around: null };
};
