import { IndexError, type Index } from '#index';
import { sqlRequest } from '#wire/search';
import { answerTo } from '../answer.ts';
import { SearchError } from '../errors.ts';
import { parseQuery } from '../query/parse.ts';
import type { ReadRoutes } from '../reading.ts';
import { refusal } from '../refusal.ts';
import { parseRequest } from '../request.ts';
import type { Serving } from '../serving.ts';
import { openSqlGuard } from './guard.ts';
import { mistakeIn } from './mistake.ts';

/** `POST /sql` of src/wire/search.ts. */
export const addSql = (reads: ReadRoutes, { index, clock, freshness }: Serving): void => {
  const guardSql = openSqlGuard(index.engine);
  reads.read('/sql', async (body, out) => {
    const { sql } = parseRequest(sqlRequest, body);
    const started = clock.elapsed();
    await guardSql(sql);
    const rows = await sqlRows(index, sql);
    const answered = { query: parseQuery('', clock.now()), shown: [], count: rows.length, started };
    const answer = await answerTo(index, answered, clock, freshness);
    for (const row of rows) await out.line(row);
    await out.remark(answer);
  });
};

const sqlRows = async (index: Index, sql: string): Promise<Record<string, unknown>[]> => {
  try {
    return await index.engine.rows('readonly', sql);
  } catch (error) {
    if (!(error instanceof IndexError)) throw error;
    if (error.code === 'engine-away') throw refusal(error);
    if (error.code === 'engine-limit')
      throw new SearchError(
        'too-expensive',
        'the statement ran into its limit of 20 seconds, 100000 rows, 64 MiB or memory: aggregate, add LIMIT, or narrow it by app and time',
        { cause: error },
      );
    throw mistakeIn(sql, error, 0);
  }
};
