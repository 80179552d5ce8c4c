import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { corpus as makeCorpus, type Corpus } from './corpus/corpus.ts';
import { BenchError } from './errors.ts';
import { isExact, runHoldfast } from './holdfast/contender.ts';
import type { Conditions } from './holdfast/installation.ts';
import type { Stage } from './holdfast/stage.ts';
import { removeAtExit } from './run/clean-up.ts';
import type { Figures } from './run/figures.ts';
import { progress } from './run/progress.ts';
import { settleDisk, warm } from './run/settle-disk.ts';
import { rows, type Row } from './run/table.ts';
import { runSyslogNg } from './syslog-ng/contender.ts';
import { syslogNg } from './syslog-ng/package.ts';

export type IngestOptions = {
  lines: number;
  runs: number;
  /** What was stored stays, for looking at. */
  after: 'remove' | 'keep';
  conditions: Conditions;
  stages: readonly Stage[];
};

export const references = ['syslog-ng', 'syslog-ng, tuned'] as const;

export type IngestResult = {
  corpus: Corpus;
  syslogNgVersion: string;
  runs: number;
  fsyncDelayMs: number;
  rows: Row[];
  /** Of the last run: where time went in each process; empty unless profiles were wanted. */
  hottest: string[];
};

type Contender = { name: string; run: (dir: string) => Promise<Figures> };

/**
 * Runs every contender `runs` times in turn on the same corpus.
 * @param cache for what is made or downloaded once, and for the runs' own directories
 * @throws BenchError
 */
export const ingest = async (options: IngestOptions, cache: string): Promise<IngestResult> => {
  mkdirSync(cache, { recursive: true });
  const syslog = syslogNg(cache);
  progress(`syslog-ng ${syslog.version}; corpus of ${options.lines.toLocaleString('en-US')} lines …`);
  const corpus = await makeCorpus(join(cache, 'corpus'), options.lines);
  warm(corpus.path);

  const contenders: readonly Contender[] = [
    { name: 'syslog-ng', run: (dir) => runSyslogNg(syslog, 'plain', corpus, dir) },
    { name: 'syslog-ng, tuned', run: (dir) => runSyslogNg(syslog, 'tuned', corpus, dir) },
    ...options.stages.map((stage) => ({
      name: `Holdfast, ${stage}`,
      run: (dir: string) => runHoldfast(stage, corpus, dir, options.conditions),
    })),
  ];

  const home = join(cache, `run-${process.pid}`);
  mkdirSync(home);
  const cleanUp = options.after === 'keep' ? null : removeAtExit(home);
  const runs: Figures[][] = [];
  for (let n = 1; n <= options.runs; n += 1) {
    const run: Figures[] = [];
    for (const [i, contender] of contenders.entries()) {
      const dir = join(home, `${n}-${i}`);
      mkdirSync(dir);
      settleDisk(dir);
      const figures = await contender.run(dir);
      assertExact(figures, corpus);
      progress(
        `run ${n} of ${options.runs}: ${contender.name}: ${figures.wallSeconds.toFixed(2)} s; ` +
          `${figures.count.lines.toLocaleString('en-US')} lines counted, none lost, none twice, none changed`,
      );
      run.push(figures);
      if (options.after === 'remove') rmSync(dir, { recursive: true });
    }
    runs.push(run);
  }
  rmSync(home, { recursive: options.after === 'remove', force: true });
  cleanUp?.done();
  return {
    corpus,
    syslogNgVersion: syslog.version,
    runs: options.runs,
    fsyncDelayMs: options.conditions.fsyncDelayMs,
    rows: rows(runs, references, corpus),
    hottest: (runs.at(-1) ?? []).flatMap((figures) => figures.hottest ?? []),
  };
};

const assertExact = ({ contender, count }: Figures, corpus: Corpus): void => {
  if (isExact(count, corpus)) return;
  throw new BenchError(
    'wrong-count',
    `${contender}: of ${corpus.lines} lines ${count.lines} were found, ${count.lost} are lost, ${count.repeated} came ` +
      `more than once, ${count.foreign} are none of the corpus; bytes changed: ${count.altered}. No figures`,
  );
};
