import { micros, type Clock } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { Index } from '#index';
import type { SavedSearch } from '#wire/saved';
import { SearchError } from '../errors.ts';
import { refusal } from '../refusal.ts';
import { checkQuery } from '../search.ts';

/** Searches that were saved, by name. */
export type SavedSearches = {
  /** @throws SearchError `bad-query`, or `bad-request` where there are too many */
  save(search: { name: string; query: string }): Promise<void>;
  /** @throws SearchError `bad-request` where there is none of that name */
  forget(name: string): Promise<void>;
  /** In the order of their names. @throws SearchError */
  list(): Promise<SavedSearch[]>;
};

const mostSaved = 1000;

/**
 * What was saved and forgotten according to the records of those calls in the index, and since: a call is heeded at once,
 * its record comes into the index later. There is one indexer, so what it remembers is the newest.
 */
export const openSavedSearches = (index: Index, clock: Clock): SavedSearches => {
  const since = new Map<string, SavedSearch | null>();

  const list = async (): Promise<SavedSearch[]> => {
    const all = new Map((await inIndex(index)).map((one) => [one.name, one]));
    for (const [name, one] of since) {
      const indexed = all.get(name);
      if (one === null) all.delete(name);
      // Its record has come: that also says who.
      else if (indexed?.query !== one.query) all.set(name, one);
    }
    return [...all.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  };

  return {
    list,
    async save({ name, query }) {
      await checkQuery(index, query, clock);
      const others = (await list()).filter((one) => one.name !== name);
      if (others.length >= mostSaved)
        throw new SearchError(
          'bad-request',
          `there are ${mostSaved} saved searches already: delete one first`,
        );
      since.set(name, { name, query, by: null, at: formatMicros(clock.now()) });
    },
    async forget(name) {
      if (!(await list()).some((one) => one.name === name))
        throw new SearchError('bad-request', `there is no saved search '${name}'`);
      since.set(name, null);
    },
  };
};

/** Only what the indexer itself has said counts: others may send lines that look alike. */
const inIndex = async (index: Index): Promise<SavedSearch[]> => {
  try {
    const rows = await index.engine.rows(
      'interactive',
      `SELECT fields['asked.name'] AS name, argMax(fields['asked.query'], (entry, line)) AS query,
        argMax(fields['read'], (entry, line)) AS what,
        argMax(if(fields['user'] != '', fields['user'], concat('uid ', fields['uid'])), (entry, line)) AS who,
        toUnixTimestamp64Micro(max(time)) AS at
      FROM lines
      WHERE app = 'holdfast' AND via = 'self' AND listener = 'own' AND source = 'indexer' AND entry < ${index.state().indexed}
        AND fields['kind'] = 'read' AND fields['read'] IN ('save', 'forget') AND fields['outcome'] = 'answered'
      GROUP BY name HAVING what = 'save' ORDER BY name LIMIT ${mostSaved}`,
    );
    return rows.map((row) => ({
      name: String(row['name']),
      query: String(row['query']),
      by: String(row['who']),
      at: formatMicros(micros(Number(row['at']))),
    }));
  } catch (error) {
    throw refusal(error);
  }
};
