import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef } from 'react';
import { ApiFailure, countLog, searchLog, type Found } from '../api.ts';
import type { CountsAnswer, Hit } from '../wire.ts';
import { mostRows, useTail, type Tail } from './use-tail.ts';

export type Log = {
  /** What the search found and the tail brought, each line once, newest last. */
  hits: Hit[];
  answer: Found['answer'] | null;
  /** Lines that match: those that search counted, and those that came since. */
  total: number;
  totalIs: 'exact' | 'at least';
  /** All that matches over time, where that is more than is shown. */
  counted: CountsAnswer | null;
  /** Lines that came since. */
  fresh: Hit[];
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
  const more = found.data?.answer.countIs === 'at least';
  const counts = useQuery<CountsAnswer, Error>({
    queryKey: ['counts', query, found.dataUpdatedAt],
    queryFn: ({ signal }) => countLog(query, signal),
    enabled: more,
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
  });
  const counted = more ? (counts.data ?? null) : null;
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

  const { hits, fresh } = useMemo(() => {
    const first = found.data?.hits ?? [];
    if (tail.arrived.length === 0) return { hits: first, fresh: tail.arrived };
    const seen = new Set(first.map((hit) => hit.address));
    const came = tail.arrived.filter((hit) => !seen.has(hit.address) && seen.add(hit.address));
    return { hits: [...first, ...came].slice(-mostRows), fresh: came };
  }, [found.data, tail.arrived]);

  return {
    hits,
    answer: found.data?.answer ?? null,
    total: (counted?.answer.count ?? found.data?.answer.count ?? 0) + fresh.length,
    totalIs: more && counted === null ? 'at least' : 'exact',
    counted,
    fresh,
    failure,
    searching: found.isFetching,
    tail,
    again,
  };
};

export const asFailure = (error: Error | null): ApiFailure | null => {
  if (error === null || error instanceof ApiFailure) return error;
  return new ApiFailure(0, { code: 'internal', message: error.message, column: null, suggestion: null });
};
