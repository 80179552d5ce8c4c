import type { Clock } from '#base/clock';
import type { Index } from '#index';
import { savedQueries } from '../saved/known.ts';
import type { Query } from './expression.ts';
import { parseQuery } from './parse.ts';
import { asksForSaved } from './saved-names.ts';
import { tokenize } from './tokens.ts';

/**
 * A query as it is asked here and now: with the searches that are saved.
 * @param as the name under which it will be saved itself
 * @throws SearchError
 */
export const readQuery = async (
  index: Index,
  text: string,
  clock: Clock,
  as: string | null = null,
): Promise<Query> => {
  if (!asksForSaved(tokenize(text))) return parseQuery(text, clock.now());
  const saved = await savedQueries(index, clock);
  return parseQuery(text, clock.now(), as === null ? saved : new Map([...saved, [as, text]]));
};
