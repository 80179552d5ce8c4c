import { micros, type Clock } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { Index } from '#index';
import type { SavedSearch } from '#wire/saved';
import { refusal } from '../refusal.ts';
import type { SavedQueries } from '../query/saved-names.ts';

export const mostSaved = 1000;

/** What was saved (`null`: forgotten) since the index was opened, by name; its record comes into the index later. */
const since = new WeakMap<Index, Map<string, SavedSearch | null>>();

const sinceOf = (index: Index): Map<string, SavedSearch | null> => {
  const known = since.get(index) ?? new Map<string, SavedSearch | null>();
  since.set(index, known);
  return known;
};

/** Heeds a call at once. There is one indexer, so what it remembers is the newest. */
export const remember = (index: Index, name: string, saved: SavedSearch | null): void =>
  void sinceOf(index).set(name, saved);

/** What was saved and not forgotten, in the order of the names. @throws SearchError */
export const savedIn = async (index: Index): Promise<SavedSearch[]> => heeded(index, await recorded(index));

/** By its own records nobody else changes what is saved, so what was read is good for a while. */
const keptMs = 5000;
const kept = new WeakMap<Index, { saved: SavedSearch[]; until: number }>();

/** The same as queries by name, for a query that asks for one. @throws SearchError */
export const savedQueries = async (index: Index, clock: Clock): Promise<SavedQueries> => {
  let read = kept.get(index);
  if (read === undefined || clock.elapsed() >= read.until) {
    read = { saved: await recorded(index), until: clock.elapsed() + keptMs };
    kept.set(index, read);
  }
  return new Map(heeded(index, read.saved).map(({ name, query }) => [name, query]));
};

const heeded = (index: Index, saved: readonly SavedSearch[]): SavedSearch[] => {
  const all = new Map(saved.map((one) => [one.name, one]));
  for (const [name, one] of sinceOf(index)) {
    const indexed = all.get(name);
    if (one === null) all.delete(name);
    // Its record has come: that also says who.
    else if (indexed?.query !== one.query) all.set(name, one);
  }
  return [...all.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
};

/** Only what the indexer itself has said counts: others may send lines that look alike. */
const recorded = async (index: Index): Promise<SavedSearch[]> => {
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
