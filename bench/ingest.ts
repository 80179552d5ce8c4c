import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { corpus as makeCorpus, type Corpus } from './corpus/corpus.ts';
import { runHoldfast } from './holdfast/contender.ts';
import type { Conditions } from './holdfast/installation.ts';
import type { Stage } from './holdfast/stage.ts';
import { progress } from './run/progress.ts';
import { warm } from './run/settle-disk.ts';
import { runInTurn, type Contender } from './run/in-turn.ts';
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

  const runs = await runInTurn(contenders, corpus, options, cache);
  return {
    corpus,
    syslogNgVersion: syslog.version,
    runs: options.runs,
    fsyncDelayMs: options.conditions.fsyncDelayMs,
    rows: rows(runs, references, corpus),
    hottest: (runs.at(-1) ?? []).flatMap((figures) => figures.hottest ?? []),
  };
};
