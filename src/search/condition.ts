import type { Clock } from '#base/clock';
import type { Index } from '#index';
import { badQuery } from './errors.ts';
import type { Compiled } from './query/compile.ts';
import { readQuery } from './query/read.ts';
import { asksWhenReceived } from './query/received.ts';
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
  const asked = await readQuery(index, query, clock);
  if (
    asked.since !== null ||
    asked.until !== null ||
    asked.around !== null ||
    asksWhenReceived(asked.expression)
  )
    throw badQuery(
      'since:, until:, around: and received: have no place here, a rule looks at each line as it comes',
      0,
      'this goes for the saved searches that it asks for, too',
    );
  const { where, parameters } = await prepareQuery(index, asked, searched);
  return { where, parameters };
};
