import type { Clock } from '#base/clock';
import type { Index } from '#index';
import type { Hit } from '#wire/search';
import { checkQuery, search, searchEntries } from './search.ts';

/** What a follower is given: hits as they become searchable, or how many of them it was too slow for. */
export type Tailed = { kind: 'hit'; hit: Hit } | { kind: 'dropped'; count: number };

export type TailRequest = { query: string; backlog: number };

/** Lines held for one follower at most; of more that come at once the newest are kept and the rest is counted. */
const mostAtOnce = 1000;

export type Tail = { backlog: Hit[]; follow(signal: AbortSignal): AsyncGenerator<Tailed> };

/**
 * `backlog` hits that are there already; `follow` then gives each matching line as it becomes searchable, in the vault's
 * order. The consumer sets the pace. While it is busy only a range of entries is remembered, so that a slow one costs no
 * memory; what is over `mostAtOnce` by then is dropped and counted.
 * @throws SearchError
 */
export const openTail = async (index: Index, request: TailRequest, clock: Clock): Promise<Tail> => {
  const start = index.state().indexed;
  await checkQuery(index, request.query, clock);
  const found =
    request.backlog === 0
      ? null
      : await search(
          index,
          { query: request.query, limit: request.backlog, from: 'newest', below: start },
          clock,
        );
  return {
    backlog: found?.hits ?? [],
    follow: (signal) => follow(index, request.query, start, clock, signal),
  };
};

const ignore = (): void => undefined;

const follow = async function* (
  index: Index,
  query: string,
  start: number,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Tailed> {
  let next = start;
  let wake = ignore;
  const stopListening = index.onIndexed(() => wake());
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);
  try {
    while (!signal.aborted) {
      const { indexed } = index.state();
      // It falls back when the index is made again; what was shown is not shown twice.
      if (indexed <= next) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const slice = await searchEntries(index, query, { from: next, to: indexed }, mostAtOnce, clock);
      next = indexed;
      if (slice.more > 0) yield { kind: 'dropped', count: slice.more };
      for (const hit of slice.hits) yield { kind: 'hit', hit };
    }
  } finally {
    stopListening();
    signal.removeEventListener('abort', onAbort);
  }
};
