import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '#base/clock';
import type { Index } from '#index';
import { search, type Search } from './search.ts';

/** Lines of which a word each is looked for. */
const mostLines = 24;
const lookAgainMs = 1000;
/** By then the list of words is there, or it will not be soon. */
const patienceMs = 120_000;

/**
 * Looks for some words of the newest lines, once all is indexed and the list of words is there, so that whoever asks first
 * after a start does not wait for code to be loaded and compiled. A small index has no such list and needs none of this.
 * Nothing is shown to anybody, so nothing is recorded as read.
 * @returns the words
 * @throws SearchError
 */
export const warmUp = async (
  index: Index,
  clock: Clock,
  signal: AbortSignal,
  ask: typeof search = search,
): Promise<string[]> => {
  const until = clock.elapsed() + patienceMs;
  while (!isReady(index)) {
    if (clock.elapsed() > until) return [];
    await wait(lookAgainMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return [];
  }
  const asked: Pick<Search, 'limit' | 'from'> = { limit: mostLines, from: 'newest' };
  const { hits } = await ask(index, { ...asked, query: '', total: 'skip' }, clock);
  const words = [...new Set(hits.flatMap(({ message }) => longestWord(message) ?? []))];
  for (const word of words) {
    if (signal.aborted) break;
    await ask(index, { ...asked, query: `"${word}"` }, clock);
  }
  return words;
};

const isReady = (index: Index): boolean => {
  const { indexed, committed } = index.state();
  return indexed >= committed && index.words() !== null;
};

/** It is in fewer lines than others are. */
const longestWord = (message: string): string | undefined =>
  (message.match(/[0-9A-Za-z]+/g) ?? []).toSorted((a, b) => b.length - a.length)[0];
