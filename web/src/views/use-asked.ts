import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { ApiFailure } from '../api.ts';
import { asFailure, passes } from '../log/use-log.ts';
import type { Answer } from '../wire.ts';

export type OnAnswer = (answer: Answer['answer'] | null) => void;
export type Asked<T> = { data: T | undefined; failure: ApiFailure | null; asking: boolean; again(): void };

const retryMs = 3_000;

/** Asks once for each key, and again by itself only while nobody answers: each asking is a read in the log. */
export const useAsked = <T extends Answer>(
  key: readonly string[],
  ask: (signal: AbortSignal) => Promise<T>,
  onAnswer: OnAnswer,
): Asked<T> => {
  const { data, error, isFetching, refetch } = useQuery<T, Error>({
    queryKey: key,
    queryFn: ({ signal }) => ask(signal),
    staleTime: 0,
    gcTime: 0,
    refetchInterval: ({ state }) => (passes(asFailure(state.error)) ? retryMs : false),
  });
  const failure = asFailure(error);
  const away = passes(failure);
  useEffect(() => {
    if (data !== undefined) onAnswer(data.answer);
    else if (away) onAnswer(null);
  }, [data, away, onAnswer]);
  return { data, failure, asking: isFetching, again: () => void refetch() };
};
