import type { Clock } from '#base/clock';
import type { Index } from '#index';
import type { Compiled } from './query/compile.ts';
import { parseQuery } from './query/parse.ts';
import { prepareQuery } from './query/prepare.ts';

/** What a query asks of rows of `lines`, for whoever writes the rest of the statement. */
export type Condition = Pick<Compiled, 'where' | 'parameters'>;

/**
 * @param searched a condition on the rows that will be looked at: names are looked up among them alone
 * @throws SearchError `bad-query`
 * @throws IndexError
 */
export const conditionOf = async (
  index: Index,
  query: string,
  searched: string,
  clock: Clock,
): Promise<Condition> => {
  const { where, parameters } = await prepareQuery(index, parseQuery(query, clock.now()), searched);
  return { where, parameters };
};
