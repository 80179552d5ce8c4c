import type { Clock } from '#base/clock';
import type { Index } from '#index';
import { parseLineAddress } from '#vault/record';
import type { Answer, Hit } from '#wire/search';
import { SearchError } from './errors.ts';
import { nobodyOutside, type FreshnessReader } from './freshness.ts';
import { checkQuery, search, searchEntries, searchOnwards, type Position } from './search.ts';

/**
 * What a follower is given: hits as they become searchable, how many of them it was too slow for, and how far it has come:
 * nothing of what lies before a position is still to come.
 */
export type Tailed =
  { kind: 'hit'; hit: Hit } | { kind: 'dropped'; count: number } | { kind: 'position'; position: string };

/** `resume`: where to go on; `null` or absent: at what is indexed next. */
export type TailRequest = { query: string; backlog: number; resume?: string | null | undefined };

/** Lines held for one follower at most; of more that come at once the newest are kept and the rest is counted. */
const mostAtOnce = 1000;

export type Tail = {
  backlog: Hit[];
  /** What the backlog is worth, `null` if there was none to be; of what follows nothing is said. */
  answer: Answer | null;
  follow(signal: AbortSignal): AsyncGenerator<Tailed>;
};

/**
 * `backlog` hits that are there already; `follow` then gives each matching line as it becomes searchable, in the vault's
 * order. The consumer sets the pace. While it is busy only a range of entries is remembered, so that a slow one costs no
 * memory; what is over `mostAtOnce` by then is dropped and counted. One that resumes is given all that is indexed by now,
 * however much that is.
 * @throws SearchError
 */
export const openTail = async (
  index: Index,
  request: TailRequest,
  clock: Clock,
  freshness: FreshnessReader = nobodyOutside,
): Promise<Tail> => {
  const now = index.state().indexed;
  const resumed = parsePosition(request.resume ?? null);
  await checkQuery(index, request.query, clock);
  const found =
    request.backlog === 0 || resumed !== null
      ? null
      : await search(
          index,
          { query: request.query, limit: request.backlog, from: 'newest', below: now },
          clock,
          freshness,
        );
  return {
    backlog: found?.hits ?? [],
    answer: found?.answer ?? null,
    async *follow(signal) {
      const next = yield* catchUp(index, request.query, resumed ?? startOf(now), now, clock, signal);
      yield* follow(index, request.query, next, clock, signal);
    },
  };
};

const parsePosition = (text: string | null): Position | null => {
  if (text === null) return null;
  const parsed = parseLineAddress(text);
  if (parsed === null || parsed.part === null)
    throw new SearchError('bad-request', `'${text}' is no position that a tail gave`);
  return { ...parsed, part: parsed.part };
};

const startOf = (entry: number): Position => ({ entry, line: 0, part: 0 });

const positionOf = ({ entry, line, part }: Position): Tailed => ({
  kind: 'position',
  position: `${entry}:${line}/${part}`,
});

const placeOf = ({ address }: Hit): Position => {
  const parsed = parseLineAddress(address);
  if (parsed === null) throw new SearchError('internal', `a line's address cannot be read: ${address}`);
  return { ...parsed, part: parsed.part ?? 0 };
};

/**
 * All from `from` on in entries below `to`; an index that is made again may have to come to the entry of `from` first.
 * @returns the first entry after those
 */
const catchUp = async function* (
  index: Index,
  query: string,
  from: Position,
  to: number,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Tailed, number> {
  yield positionOf(from);
  const end = Math.max(to, from.line === 0 && from.part === 0 ? from.entry : from.entry + 1);
  await indexedTo(index, end, signal);
  for (let next = from; next.entry < end && !signal.aborted;) {
    const hits = await searchOnwards(index, query, { from: next, to: end }, mostAtOnce, clock);
    for (const hit of hits) yield { kind: 'hit', hit };
    const last = hits.at(-1);
    if (last === undefined || hits.length < mostAtOnce) break;
    const place = placeOf(last);
    next = { ...place, part: place.part + 1 };
  }
  return end;
};

/** Resolves when all entries below `entry` are indexed, or at the signal. */
const indexedTo = async (index: Index, entry: number, signal: AbortSignal): Promise<void> => {
  if (signal.aborted || index.state().indexed >= entry) return;
  await new Promise<void>((resolve) => {
    const stop = index.onIndexed(() => {
      if (index.state().indexed >= entry) done();
    });
    const done = (): void => {
      stop();
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done);
  });
};

const follow = async function* (
  index: Index,
  query: string,
  start: number,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Tailed> {
  for (let next = start; ;) {
    // It falls back when the index is made again; what was shown is not shown twice.
    await indexedTo(index, next + 1, signal);
    if (signal.aborted) return;
    const { indexed } = index.state();
    const slice = await searchEntries(index, query, { from: next, to: indexed }, mostAtOnce, clock);
    next = indexed;
    if (slice.more > 0) {
      yield { kind: 'dropped', count: slice.more };
      const [first] = slice.hits;
      yield positionOf(first === undefined ? startOf(indexed) : placeOf(first));
    }
    for (const hit of slice.hits) yield { kind: 'hit', hit };
  }
};
