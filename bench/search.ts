import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stateDirectory, type StateDirectory } from '#base/state';
import { corpus as makeCorpus } from './corpus/corpus.ts';
import { BenchError } from './errors.ts';
import { startOn } from './holdfast/installation.ts';
import { removeAtExit } from './run/clean-up.ts';
import { progress } from './run/progress.ts';
import { bytesBelow } from './run/usage.ts';
import { waitForRest } from './run/wait.ts';
import { ask, askFor, type Asked } from './search/ask.ts';
import { heavyQueries, streamInto, withColdStart } from './search/circumstances.ts';
import { forget, remember } from './search/files.ts';
import { ordinary, searchable, stopMs, type Indexing } from './search/fill.ts';
import { fill } from './search/filled.ts';
import { ripgrep, zgrep, type Grep } from './search/grep.ts';
import { questionsOn, type Bar, type Question } from './search/questions.ts';
import { spread, type Spread } from './search/spread.ts';

export type SearchBenchOptions = {
  lines: number;
  /** How often each question is asked, each time for all that it looks for. */
  runs: number;
  /** Lines a second that come in meanwhile. */
  rate: number;
  after: 'remove' | 'keep';
  /** Where vault, index and files are kept for later runs; null: they are of this run alone. */
  fill: string | null;
};

/** Milliseconds at the API under each circumstance; of the peers, on the same lines in the same run. */
export type SearchRow = {
  question: string;
  bar: Bar | null;
  warm: Spread;
  cold: Spread;
  /** While lines come in. */
  streaming: Spread;
  /** While somebody else's heavy query runs. */
  beside: Spread;
  peers: Record<string, { warm: Spread; cold: Spread | null }>;
};

export type SearchBenchResult = {
  lines: number;
  runs: number;
  rate: number;
  /** Bytes on disk. */
  disk: { files: number; compressed: number; vault: number; index: number };
  indexing: Indexing;
  rows: SearchRow[];
};

/** Makes what a later run with the same `fill` measures, and measures nothing. */
export const fillForLater = async (
  { lines, fill: home }: { lines: number; fill: string },
  cache: string,
): Promise<void> => {
  await fill(home, await makeCorpus(join(cache, 'corpus'), lines));
};

/**
 * Fills vault and index with the corpus through the product's own keeper and indexer, lays the same lines out as
 * syslog-ng would, and asks all of them the same questions. What they count has to be the same.
 * @throws BenchError `wrong-count` if it is not; `unavailable` without ripgrep
 */
export const searchBench = async (options: SearchBenchOptions, cache: string): Promise<SearchBenchResult> => {
  mkdirSync(cache, { recursive: true });
  const home = join(cache, `run-${process.pid}`);
  mkdirSync(home);
  const cleanUp = options.after === 'keep' ? null : removeAtExit(home);
  const corpus = await makeCorpus(join(cache, 'corpus'), options.lines);
  const filled = await fill(options.fill ?? home, corpus);
  const { files, compressed, indexing } = filled;
  const greps = [ripgrep(cache, files), zgrep(compressed)];
  // Lines come in meanwhile: what later runs use again stays as it is.
  if (options.fill !== null)
    cpSync(filled.state.root, join(home, 'state'), { recursive: true, verbatimSymlinks: true });
  const state = stateDirectory(join(home, 'state'));

  const questions = questionsOn(corpus);
  const served = new Map(questions.map((question) => [question, emptyTimes()]));
  const timesOf = (question: Question): Times => served.get(question) ?? emptyTimes();
  await withColdStart(state, async () => {
    for (const question of questions) await askCold(state, question, timesOf(question), greps, files);
  });
  const disk = {
    files: bytesBelow(files),
    compressed: bytesBelow(compressed),
    vault: bytesBelow(state.vault),
    index: bytesBelow(state.index),
  };
  const started = await startOn(state, ['indexer'], 'search', ordinary);
  await searchable(state, corpus.lines);
  // The list of words is made anew at each start.
  await waitForRest(started.processes.map(({ pid }) => pid));
  // The cold questions have left only what they read in memory: of ripgrep's files all, of the others little.
  for (const directory of [state.root, files, compressed]) remember(directory);
  for (const question of questions) await askWarm(state, question, timesOf(question), greps, options.runs);
  progress(`asking while somebody else's heavy query runs …`);
  const heavy = heavyQueries(state);
  for (const question of questions) await askAgain(state, question, timesOf(question).beside, options.runs);
  await heavy.stop();
  progress(`asking while ${options.rate.toLocaleString('en-US')} lines/s come in …`);
  const stream = await streamInto(state, corpus, options.rate);
  for (const question of questions)
    await askAgain(state, question, timesOf(question).streaming, options.runs);
  await stream.stop();
  for (const child of started.processes) await child.stop(stopMs);

  if (options.after === 'remove') rmSync(home, { recursive: true });
  cleanUp?.done();
  const rows = questions.map((question) => rowOf(question, timesOf(question)));
  return { lines: options.lines, runs: options.runs, rate: options.rate, disk, indexing, rows };
};

type Times = {
  warm: number[];
  cold: number[];
  streaming: number[];
  beside: number[];
  peers: Record<string, { warm: number[]; cold: number[] }>;
};

const emptyTimes = (): Times => ({ warm: [], cold: [], streaming: [], beside: [], peers: {} });

const rowOf = ({ name, bar }: Question, times: Times): SearchRow => ({
  question: name,
  bar,
  warm: spread(times.warm),
  cold: spread(times.cold),
  streaming: spread(times.streaming),
  beside: spread(times.beside),
  peers: Object.fromEntries(
    Object.entries(times.peers).map(([peer, { warm, cold }]) => [
      peer,
      { warm: spread(warm), cold: cold.length === 0 ? null : spread(cold) },
    ]),
  ),
});

/** Each question once, of files that are not in memory. */
const askCold = async (
  state: StateDirectory,
  question: Question,
  times: Times,
  [rg]: readonly Grep[],
  files: string,
): Promise<void> => {
  const [needle] = question.needles;
  if (needle === undefined) return;
  forget(state.root);
  times.cold.push((await ask(state, question, needle)).ms);
  if (rg === undefined) return;
  forget(files);
  peerOf(times, rg.name).cold.push((await rg.run(needle)).ms);
};

const peerOf = ({ peers }: Times, name: string): { warm: number[]; cold: number[] } =>
  (peers[name] ??= { warm: [], cold: [] });

/** Of the peers each question once, and zgrep, which is slow, for one needle alone. */
const askWarm = async (
  state: StateDirectory,
  question: Question,
  times: Times,
  [rg, zg]: readonly Grep[],
  runs: number,
): Promise<void> => {
  for (const query of question.warmUp ?? []) await askFor(state, question, query);
  const counts = await askAgain(state, question, times.warm, runs);
  const compare = async (grep: Grep, n: number): Promise<void> => {
    const needle = question.needles[n];
    if (needle === undefined) return;
    const found: Asked = await grep.run(needle);
    if (found.count !== counts[n])
      throw new BenchError(
        'wrong-count',
        `${question.name}: search counts ${counts[n]} lines for ${needle.query}, ${grep.name} ${found.count}`,
      );
    peerOf(times, grep.name).warm.push(found.ms);
  };
  if (rg !== undefined) for (const n of question.needles.keys()) await compare(rg, n);
  if (zg !== undefined) await compare(zg, 0);
  progress(`${question.name}: ${question.needles.length} needles, the same counts`);
};

/** @returns what each needle was counted to be */
const askAgain = async (
  state: StateDirectory,
  question: Question,
  times: number[],
  runs: number,
): Promise<number[]> => {
  const counts: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    for (const [n, needle] of question.needles.entries()) {
      const { ms, count } = await ask(state, question, needle);
      times.push(ms);
      counts[n] = count;
    }
  }
  return counts;
};
