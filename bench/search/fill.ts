import { join } from 'node:path';
import type { StateDirectory } from '#base/state';
import { health } from '#wire/search';
import type { Corpus } from '../corpus/corpus.ts';
import { BenchError } from '../errors.ts';
import { startOn } from '../holdfast/installation.ts';
import { call, checkTotal } from '../holdfast/search-count.ts';
import { startProcess, type Process } from '../run/process.ts';
import { cpuSeconds, peakBytes } from '../run/usage.ts';
import { waitForRest, waitUntil } from '../run/wait.ts';

/** Of the indexer that took everything in, from its start until it rested. */
export type Indexing = { wallSeconds: number; cpuSeconds: number; peakBytes: number };

export const ordinary = { profiles: null, fsyncDelayMs: 0 };
export const stopMs = 60_000;
const indexMs = 3_600_000;

/** Makes a vault of the corpus. @throws BenchError `wrong-count` */
export const keep = async (state: StateDirectory, corpus: Corpus): Promise<void> => {
  const child = script('keep', [state.root, corpus.path]);
  const { kept } = JSON.parse(await child.said('kept')) as { kept: number };
  await child.stop(stopMs);
  if (kept !== corpus.lines)
    throw new BenchError('wrong-count', `the vault has ${kept} lines of ${corpus.lines}. No figures`);
};

/** Starts a script of this directory. */
export const script = (name: 'keep' | 'stream', args: readonly string[]): Process =>
  startProcess({
    name,
    file: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, `${name}.ts`), ...args],
    output: 'stdout',
  });

/** Until as many lines are indexed. */
export const searchable = (state: StateDirectory, lines: number): Promise<void> =>
  waitUntil('search to have everything', 50, indexMs, async () => {
    const said = health.parse(JSON.parse(await call(state, 'GET', '/health')));
    return said.lines >= lines;
  });

/** Takes the vault into the index. @throws BenchError `wrong-count` */
export const index = async (state: StateDirectory, corpus: Corpus): Promise<Indexing> => {
  const { processes } = await startOn(state, ['indexer'], 'search', ordinary);
  const [indexer] = processes;
  if (indexer === undefined) throw new BenchError('failed', 'there is no indexer');
  const started = performance.now();
  await searchable(state, corpus.lines);
  const wallSeconds = (performance.now() - started) / 1000;
  await waitForRest([indexer.pid], indexMs);
  await checkTotal(state, corpus);
  const figures = { wallSeconds, cpuSeconds: cpuSeconds(indexer.pid), peakBytes: peakBytes(indexer.pid) };
  await indexer.stop(stopMs);
  return figures;
};
