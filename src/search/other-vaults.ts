import type { Index, OtherVault } from '#index';
import type { Answer, Hit } from '#wire/search';
import { hitColumns, readHits } from './hit.ts';
import { compileQuery, type Compiled } from './query/compile.ts';
import type { Query } from './query/expression.ts';
import type { Found, Search } from './search.ts';

const mostNamed = 8;

/**
 * Adds what the other vaults have whose indexes are on the same servers, each as far as its own indexer has got. Their
 * lines have the vault's name before their address.
 * @param own what this vault has
 * @throws IndexError
 */
export const withOtherVaults = async (
  index: Index,
  own: Found,
  query: Query,
  request: Search,
): Promise<Found> => {
  const others = await index.engine.otherVaults();
  if (others.length === 0) return own;
  // Who their senders are is not known here, so names are asked for by their patterns.
  const compiled = compileQuery(query, () => 'many');
  const found = await Promise.all(others.map((vault) => searchOne(index, vault, compiled, request)));
  const hits = [...own.hits, ...found.flatMap((one) => one.hits)].toSorted((a, b) =>
    a.time < b.time ? -1 : a.time > b.time ? 1 : 0,
  );
  const count = found.reduce((sum, one) => sum + one.count, own.answer.answer.count);
  return {
    hits: request.from === 'oldest' ? hits.slice(0, request.limit) : hits.slice(-request.limit || Infinity),
    answer: judged(own.answer, others, count),
  };
};

const searchOne = async (
  index: Index,
  { vault, table, entries }: OtherVault,
  { where, parameters }: Compiled,
  { from, limit }: Search,
): Promise<{ hits: Hit[]; count: number }> => {
  const searched = `entry < ${entries} AND ${where}`;
  const direction = from === 'newest' ? 'DESC' : 'ASC';
  const order = ['time', 'entry', 'line', 'part'].map((column) => `${column} ${direction}`).join(', ');
  const hits =
    limit === 0
      ? []
      : readHits(
          await index.engine.binary(
            'interactive',
            `SELECT ${hitColumns} FROM ${table} WHERE ${searched} ORDER BY ${order} LIMIT ${limit}`,
            parameters,
          ),
        );
  if (from === 'newest') hits.reverse();
  const named = hits.map((hit) => ({ ...hit, address: `${vault}/${hit.address}` }));
  if (hits.length < limit) return { hits: named, count: hits.length };
  const [row] = await index.engine.rows(
    'interactive',
    `SELECT count() AS n FROM ${table} WHERE ${searched}`,
    parameters,
  );
  return { hits: named, count: Number(row?.['n'] ?? 0) };
};

/** This Holdfast has not got their vaults, so it can say nothing of their lines. */
export const judged = ({ answer }: Answer, others: readonly OtherVault[], count: number): Answer => {
  const names = others.slice(0, mostNamed).map(({ vault, entries }) => `${vault} (${entries} entries)`);
  const more = others.length > mostNamed ? ` and ${others.length - mostNamed} more` : '';
  const which = `${names.join(', ')}${more}`;
  const { integrity, completeness, range } = answer;
  return {
    answer: {
      ...answer,
      integrity: {
        ...integrity,
        verdict: integrity.verdict === 'unaltered' ? 'unknown' : integrity.verdict,
        detail: `lines of other vaults are shown as their own indexers put them into the index, and are checked against nothing here: ${which}; of this vault: ${integrity.detail}`,
      },
      completeness: {
        ...completeness,
        verdict: completeness.verdict === 'complete' ? 'unknown' : completeness.verdict,
        brief: 'other vaults are not judged here',
        detail: `what is missing of other vaults only their own Holdfast can say; of this vault: ${completeness.detail}`,
      },
      // When theirs begin and end is not known here.
      range: { since: range.since, until: range.until },
      count,
    },
  };
};
