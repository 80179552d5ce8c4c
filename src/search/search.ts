import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import { IndexError, type Index } from '#index';
import type { Answer, Hit } from '#wire/search';
import { answerTo, beginCompleteness } from './answer.ts';
import { SearchError } from './errors.ts';
import { hitColumns, readHits } from './hit.ts';
import { withMatchingLines, type MatchingLines } from './matching-lines.ts';
import { compileQuery, type Compiled } from './query/compile.ts';
import type { Query } from './query/expression.ts';
import { readQuery } from './query/read.ts';
import { prepareQuery, type Prepared } from './query/prepare.ts';
import { nobodyOutside, type FreshnessReader } from './freshness.ts';
import { withOtherVaults } from './other-vaults.ts';
import { refusal } from './refusal.ts';
import { endOf, nearEnd } from './time-edge.ts';

export type Search = {
  query: string;
  limit: number;
  from: 'newest' | 'oldest';
  /** `skip`: where there are more than `limit`, they are not counted. Default `count`. */
  total?: 'count' | 'skip';
  /** Only entries below this; default: all that are indexed. */
  below?: number;
  /** `all`: also those of other vaults on the same servers. Default `own`. */
  vaults?: 'own' | 'all';
};

export type Found = { hits: Hit[]; answer: Answer };

/**
 * Lines that match, oldest first, at most `limit` of them from the end that `from` names, and what can be said of them.
 * Only entries that are wholly in the index are searched.
 * @throws SearchError
 */
export const search = async (
  index: Index,
  request: Search,
  clock: Clock,
  freshness: FreshnessReader = nobodyOutside,
): Promise<Found> => {
  const started = clock.elapsed();
  const { indexed } = index.state();
  const to = Math.min(indexed, request.below ?? indexed);
  const prepared = await compiledFor(index, await readQuery(index, request.query, clock), `entry < ${to}`);
  const { query } = prepared;
  return asSearchError(index, prepared, async () => {
    const completeness = beginCompleteness(index, query, clock);
    const { hits, count, more } = await lookFor(index, prepared, to, request);
    if (request.from === 'newest') hits.reverse();
    const own = {
      hits,
      answer: await answerTo(
        index,
        { query, completeness, shown: hits, count, ...(more ? { countIs: 'at least' } : {}), started },
        clock,
        freshness,
      ),
    };
    return request.vaults === 'all' ? withOtherVaults(index, own, query, request) : own;
  });
};

type Looked = { hits: Hit[]; count: number; more: boolean };

/** @throws IndexError */
const lookFor = (index: Index, prepared: Prepared, to: number, request: Search): Promise<Looked> => {
  const look = request.total === 'skip' && request.limit > 0 ? first : counted;
  return withMatchingLines(index, prepared, to, (lines) => look(index, lines, prepared.query, request));
};

type Look = (index: Index, lines: MatchingLines, query: Query, request: Search) => Promise<Looked>;

/** One more than is asked for shows whether there are more. */
const first: Look = async (index, lines, query, { from, limit }) => {
  const hits = await endOf(index, lines, query, from, limit + 1, null);
  const count = hits.length;
  return { hits: hits.slice(0, limit), count, more: count > limit };
};

const counted: Look = async (index, lines, query, { from, limit }) => {
  // What is rare is all there at once, and counted by that; what is in more blocks than lines are wanted is not read.
  const few = lines.told && limit > 0 ? await lines.some(from, limit + 1) : null;
  if (few !== null && few.length <= limit) return { hits: few, count: few.length, more: false };
  // Of what is in many lines there is enough at the end, and it is found while they are counted.
  const [count, near] = await Promise.all([
    lines.count(),
    limit === 0 ? [] : nearEnd(index, lines, query, from, limit),
  ]);
  const most = Math.min(limit, count);
  const hits =
    near.length >= most ? near.slice(0, most) : await endOf(index, lines, query, from, most, count);
  return { hits, count, more: false };
};

/**
 * The condition that a query means, for a statement of one's own within `asSearchError`.
 * @param searched a condition on `lines`: the rows that will be searched
 * @throws SearchError
 */
export const compiledFor = async (index: Index, query: Query, searched: string): Promise<Prepared> => {
  try {
    return await prepareQuery(index, query, searched);
  } catch (error) {
    throw refusal(error);
  }
};

const countLines = async (index: Index, where: string, { parameters }: Compiled): Promise<number> => {
  const [row] = await index.engine.rows(
    'interactive',
    `SELECT count() AS n FROM lines WHERE ${where}`,
    parameters,
  );
  return Number(row?.['n'] ?? 0);
};

/**
 * @param as the name under which it will be saved
 * @throws SearchError `bad-query` for a query that could never be answered
 */
export const checkQuery = async (
  index: Index,
  query: string,
  clock: Clock,
  as: string | null = null,
): Promise<void> => {
  const compiled = compileQuery(await readQuery(index, query, clock, as), () => []);
  if (compiled.regexes.length === 0) return;
  const mistake = await badRegex(index, compiled, null);
  if (mistake !== null) throw mistake;
};

export type Slice = {
  hits: Hit[];
  /** Matching lines of the range that are not among the hits. */ more: number;
};

/** Matching lines of entries [from, to), in the vault's order; of more than `limit` the newest. @throws SearchError */
export const searchEntries = async (
  index: Index,
  query: string,
  range: { from: number; to: number },
  limit: number,
  clock: Clock,
): Promise<Slice> => {
  const searched = `entry >= ${range.from} AND entry < ${range.to}`;
  const compiled = await compiledFor(index, await readQuery(index, query, clock), searched);
  const where = `${searched} AND ${compiled.where}`;
  return asSearchError(index, compiled, async () => {
    const hits = readHits(
      await index.engine.binary(
        'interactive',
        `SELECT ${hitColumns} FROM lines WHERE ${where} ORDER BY entry DESC, line DESC, part DESC LIMIT ${limit}`,
        compiled.parameters,
      ),
    ).toReversed();
    if (hits.length < limit) return { hits, more: 0 };
    return { hits, more: (await countLines(index, where, compiled)) - hits.length };
  });
};

/** A place in the vault, between lines: entry, line, part. */
export type Position = { entry: number; line: number; part: number };

/** The oldest matching lines from a position on, of entries below `to`, in the vault's order. @throws SearchError */
export const searchOnwards = async (
  index: Index,
  query: string,
  range: { from: Position; to: number },
  limit: number,
  clock: Clock,
): Promise<Hit[]> => {
  const { entry, line, part } = range.from;
  const searched = `entry >= ${entry} AND entry < ${range.to} AND (entry, line, part) >= (${entry}, ${line}, ${part})`;
  const compiled = await compiledFor(index, await readQuery(index, query, clock), searched);
  return asSearchError(index, compiled, async () =>
    readHits(
      await index.engine.binary(
        'interactive',
        `SELECT ${hitColumns} FROM lines WHERE ${searched} AND ${compiled.where} ORDER BY entry, line, part LIMIT ${limit}`,
        compiled.parameters,
      ),
    ),
  );
};

const cannotCompileRegex = 427;

/** What the engine refuses, in terms of the query. @throws SearchError */
export const asSearchError = async <T>(
  index: Index,
  compiled: Compiled,
  work: () => Promise<T>,
): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof IndexError)) throw error;
    if (error.engineCode === cannotCompileRegex)
      throw (
        (await badRegex(index, compiled, error)) ??
        new SearchError('bad-query', error.message, { cause: error })
      );
    throw refusal(error);
  }
};

/** The engine does not say which expression it could not read, so each is tried by itself. */
const badRegex = async (
  index: Index,
  { regexes, parameters }: Compiled,
  cause: IndexError | null,
): Promise<SearchError | null> => {
  for (const { name, column } of regexes) {
    const pattern = parameters[name] ?? '';
    try {
      await index.engine.rows('interactive', `SELECT match('', {pattern:String}) AS n`, { pattern });
    } catch (error) {
      const [, reason] = / error: (?!.* error: )([^:]*)/s.exec(messageOf(error)) ?? [];
      return new SearchError(
        'bad-query',
        `this expression cannot be read${reason === undefined ? '' : `: ${reason}`}`,
        {
          column,
          suggestion:
            'expressions are RE2 (https://github.com/google/re2/wiki/Syntax); quote the text to search for it as it stands',
          cause: cause ?? error,
        },
      );
    }
  }
  return null;
};
