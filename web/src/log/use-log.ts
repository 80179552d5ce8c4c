import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef } from 'react';
import { ApiFailure, searchLog, type Found } from '../api.ts';
import type { Hit } from '../wire.ts';
import { mostRows, useTail, type Tail } from './use-tail.ts';

export type Log = {
  /** What the search found and the tail brought, each line once, newest last. */
  hits: Hit[];
  answer: Found['answer'] | null;
  /** Lines that match: those that search counted, and those that came since. */
  total: number;
  failure: ApiFailure | null;
  searching: boolean;
  tail: Tail;
  again(): void;
};

const retryMs = 3_000;

/** A failure that goes away without the reader doing anything. */
export const passes = (failure: ApiFailure | null): boolean =>
  failure !== null && ['console-away', 'search-away'].includes(failure.code);

/** Search and tail of one query, seen as one log. */
export const useLog = (query: string, live: boolean): Log => {
  const found = useQuery<Found, Error>({
    queryKey: ['search', query],
    queryFn: ({ signal }) => searchLog(query, signal),
    staleTime: 0,
    gcTime: 0,
    refetchInterval: ({ state }) => (passes(asFailure(state.error)) ? retryMs : false),
  });
  const { refetch } = found;
  const again = useCallback(() => void refetch(), [refetch]);
  const failure = asFailure(found.error);
  const refused = failure !== null && !passes(failure);
  const tail = useTail(query, live && !refused, again);

  // Whoever goes live again after a pause wants what came meanwhile, too.
  const wasLive = useRef(live);
  useEffect(() => {
    if (live && !wasLive.current) again();
    wasLive.current = live;
  }, [live, again]);

  const { hits, total } = useMemo(() => {
    const first = found.data?.hits ?? [];
    const counted = found.data?.answer.count ?? 0;
    if (tail.arrived.length === 0) return { hits: first, total: counted };
    const seen = new Set(first.map((hit) => hit.address));
    const fresh = tail.arrived.filter((hit) => !seen.has(hit.address) && seen.add(hit.address));
    return { hits: [...first, ...fresh].slice(-mostRows), total: counted + fresh.length };
  }, [found.data, tail.arrived]);

  return {
    hits,
    answer: found.data?.answer ?? null,
    total,
    failure,
    searching: found.isFetching,
    tail,
    again,
  };
};

const asFailure = (error: Error | null): ApiFailure | null => {
  if (error === null || error instanceof ApiFailure) return error;
  return new ApiFailure(0, { code: 'internal', message: error.message, column: null, suggestion: null });
};
