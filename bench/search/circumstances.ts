import type { StateDirectory } from '#base/state';
import type { Corpus } from '../corpus/corpus.ts';
import { startOn } from '../holdfast/installation.ts';
import { call } from '../holdfast/search-count.ts';
import { waitForRest } from '../run/wait.ts';
import { ordinary, script, searchable, stopMs } from './fill.ts';
import { forget } from './files.ts';

/** What is asked of an indexer that has just started, once it merges nothing. */
export const withColdStart = async (state: StateDirectory, work: () => Promise<void>): Promise<void> => {
  forget(state.root);
  const { processes } = await startOn(state, ['indexer'], 'search', ordinary);
  await waitForRest(processes.map(({ pid }) => pid));
  await work();
  for (const child of processes) await child.stop(stopMs);
};

/**
 * It matches no line, and every line has to be looked at for that: there is no text in it that an index could look for, and
 * it is another each time, so that what is remembered of an earlier one is of no use.
 */
const heavyQuery = (n: number): string => `/[a-z]+ .*[0-9]{2}.*[qxz]{5}[0-9a-f]{${n + 1}}[qxz]{3}/`;

/** Something that goes on until it is stopped. */
export type Busy = { stop(): Promise<void> };

/** Heavy queries, one after the other, until stopped. */
export const heavyQueries = (state: StateDirectory): Busy => {
  const stopping = new AbortController();
  const loop = async (): Promise<void> => {
    for (let n = 0; !stopping.signal.aborted; n += 1)
      await call(state, 'POST', '/search', JSON.stringify({ query: heavyQuery(n), limit: 100 })).catch(
        // One that runs into its limit has been heavy enough.
        (error: unknown) => {
          if (!String(error).includes('too-expensive')) throw error;
        },
      );
  };
  const looping = loop();
  return {
    async stop() {
      stopping.abort();
      await looping;
    },
  };
};

/** Lines that come in through receiver and keeper. */
export const streamInto = async (state: StateDirectory, corpus: Corpus, rate: number): Promise<Busy> => {
  const { processes, port } = await startOn(state, ['receiver', 'keeper'], 'search', ordinary);
  const stream = script('stream', [String(port), String(rate), corpus.path]);
  await stream.said('streaming');
  await searchable(state, corpus.lines + rate);
  return {
    async stop() {
      for (const child of [stream, ...processes]) await child.stop(stopMs);
    },
  };
};
