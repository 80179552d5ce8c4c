import type { Clock } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { Index } from '#index';
import type { SavedSearch } from '#wire/saved';
import { SearchError } from '../errors.ts';
import { checkQuery } from '../search.ts';
import { mostSaved, remember, savedIn } from './known.ts';

/** Searches that were saved, by name. */
export type SavedSearches = {
  /** @throws SearchError `bad-query`, or `bad-request` where there are too many */
  save(search: { name: string; query: string }): Promise<void>;
  /** @throws SearchError `bad-request` where there is none of that name */
  forget(name: string): Promise<void>;
  /** In the order of their names. @throws SearchError */
  list(): Promise<SavedSearch[]>;
};

/** What was saved and forgotten according to the records of those calls in the index, and since. */
export const openSavedSearches = (index: Index, clock: Clock): SavedSearches => ({
  list: () => savedIn(index),
  async save({ name, query }) {
    await checkQuery(index, query, clock, name);
    const others = (await savedIn(index)).filter((one) => one.name !== name);
    if (others.length >= mostSaved)
      throw new SearchError('bad-request', `there are ${mostSaved} saved searches already: delete one first`);
    remember(index, name, { name, query, by: null, at: formatMicros(clock.now()) });
  },
  async forget(name) {
    if (!(await savedIn(index)).some((one) => one.name === name))
      throw new SearchError('bad-request', `there is no saved search '${name}'`);
    remember(index, name, null);
  },
});
