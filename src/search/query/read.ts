import type { Clock } from '#base/clock';
import type { Index } from '#index';
import { SearchError } from '../errors.ts';
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

/** Whether a query names a saved search, so that what it means may change. A text that cannot be read names none. */
export const asksForSavedSearch = (text: string): boolean => {
  try {
    return asksForSaved(tokenize(text));
  } catch (error) {
    if (error instanceof SearchError) return false;
    throw error;
  }
};
