import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openEngine } from '../src/index/engine/embedded.ts';
import { corpus as makeCorpus } from './corpus/corpus.ts';
import { alternatives, type Alternative } from './layout/alternatives.ts';
import { askAll, type Times } from './layout/ask.ts';
import { measureCodecs, type CodecRow } from './layout/codecs.ts';
import { columnsOf, costOfReading, fillTable, type Filled } from './layout/fill.ts';
import { removeAtExit } from './run/clean-up.ts';
import { progress } from './run/progress.ts';
import type { Indexing } from './search/fill.ts';
import { fillIndex, indexIdentity, made } from './search/filled.ts';
import { questionsOn } from './search/questions.ts';
import { spread, type Spread } from './search/spread.ts';

export type LayoutOptions = {
  lines: number;
  /** How often each question is asked. */
  runs: number;
  after: 'remove' | 'keep';
  /** Where vault, index and tables are kept for later runs; null: they are of this run alone. */
  fill: string | null;
  until: 'filled' | 'asked';
  /** Names of alternatives, and `codecs`. */
  alternatives: readonly string[];
};

export type LayoutRow = Filled & {
  name: string;
  columns: Alternative['columns'];
  times: Record<string, Spread>;
};

export type LayoutResult = {
  lines: number;
  runs: number;
  indexing: Indexing;
  rows: LayoutRow[];
  codecs: CodecRow[];
};

/** Of the bench, which has the engine to itself. */
const engineBytes = 6 * 1024 ** 3;
const questionSeconds = 600;

/**
 * Fills an index through the product's own keeper and indexer, and from its rows tables that are laid out in other ways;
 * asks them all the same questions, in turn.
 * @throws BenchError; IndexError
 */
export const layoutBench = async (options: LayoutOptions, cache: string): Promise<LayoutResult> => {
  const run = join(cache, `run-${process.pid}`);
  const home = options.fill ?? run;
  mkdirSync(home, { recursive: true });
  const cleanUp = options.fill !== null || options.after === 'keep' ? null : removeAtExit(run);
  const corpus = await makeCorpus(join(cache, 'corpus'), options.lines);
  const { state, indexing } = await fillIndex(home, corpus);
  const place = join(home, 'layout');
  // Its tables are copies of what others may go on using.
  await made(home, 'layout', indexIdentity(corpus), [place], () => {
    cpSync(state.index, place, { recursive: true });
  });

  const asked = alternatives.filter(({ name }) => options.alternatives.includes(name));
  const engine = await openEngine({ path: place, memory: engineBytes, interactiveSeconds: questionSeconds });
  try {
    const filled = new Map<string, Filled>();
    for (const alternative of asked) {
      const { name, definition } = alternative;
      const columns = columnsOf(definition);
      const reading = await made(place, `reading_${alternative.columns}`, columns, [], () => {
        progress('reading what is filled in …');
        return costOfReading(engine, columns, corpus.lines);
      });
      const table = await made(place, definition.name, JSON.stringify(definition), [], () => {
        progress(`filling a table, ${name} …`);
        return fillTable(engine, alternative, corpus.lines, reading);
      });
      filled.set(name, table);
    }
    const questions = questionsOn(corpus).filter(({ bar }) => bar !== null);
    const isAsked = options.until === 'asked';
    if (isAsked && asked.length > 0) progress('asking …');
    const times = await askAll(engine, isAsked ? asked : [], questions, options.runs);
    const triesCodecs = isAsked && options.alternatives.includes('codecs');
    if (triesCodecs) progress('trying codecs …');
    const codecs = triesCodecs ? await measureCodecs(engine, 'lines') : [];
    const rows = asked.flatMap(({ name, columns }) => {
      const table = filled.get(name);
      return table === undefined ? [] : [{ name, columns, ...table, times: spreads(times.get(name) ?? {}) }];
    });
    return { lines: options.lines, runs: options.runs, indexing, rows, codecs };
  } finally {
    await engine.close();
    if (cleanUp !== null) rmSync(run, { recursive: true });
    cleanUp?.done();
  }
};

const spreads = (times: Times): Record<string, Spread> =>
  Object.fromEntries(Object.entries(times).map(([question, all]) => [question, spread(all)]));
