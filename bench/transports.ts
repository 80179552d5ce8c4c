import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TlsFiles } from '#wire/listen';
import { corpus as makeCorpus, type Corpus } from './corpus/corpus.ts';
import { runDurable } from './holdfast/contender.ts';
import type { Conditions } from './holdfast/installation.ts';
import { ceiling } from './load/ceiling.ts';
import { removeAtExit } from './run/clean-up.ts';
import { median } from './run/figures.ts';
import { runInTurn, type Contender } from './run/in-turn.ts';
import { progress } from './run/progress.ts';
import { warm } from './run/settle-disk.ts';
import { rows, type Row } from './run/table.ts';
import { makeTlsFiles } from './run/tls-files.ts';
import { runRsyslog } from './rsyslog/contender.ts';
import { rsyslog, type Rsyslog } from './rsyslog/package.ts';
import type { Transport } from './load/sending.ts';

export const transportNames = ['tls', 'relp'] as const;
export type TransportName = (typeof transportNames)[number];

export type TransportsOptions = {
  lines: number;
  runs: number;
  after: 'remove' | 'keep';
  transports: readonly TransportName[];
  /** Lines that the RELP sender may leave unanswered on each connection. */
  window: number;
  conditions: Conditions;
};

export type TransportsResult = {
  corpus: Corpus;
  rsyslogVersion: string;
  runs: number;
  fsyncDelayMs: number;
  window: number;
  of: {
    transport: TransportName;
    /** The contender that the ratios are to. */
    reference: string;
    /** What the sender comes to against a process that reads and drops, in lines a second; median of the runs. */
    senderLinesPerSecond: number;
    rows: Row[];
  }[];
};

/** @throws BenchError */
export const transportsBench = async (
  options: TransportsOptions,
  cache: string,
): Promise<TransportsResult> => {
  mkdirSync(cache, { recursive: true });
  const theirs = rsyslog(cache);
  progress(`rsyslog ${theirs.version}; corpus of ${options.lines.toLocaleString('en-US')} lines …`);
  const corpus = await makeCorpus(join(cache, 'corpus'), options.lines);
  warm(corpus.path);
  const keys = mkdtempSync(join(cache, 'keys-'));
  const cleanUp = removeAtExit(keys);
  const files = makeTlsFiles(keys);
  const of: TransportsResult['of'] = [];
  for (const name of options.transports) {
    const transport: Transport = name === 'tls' ? { kind: 'tls' } : { kind: 'relp', window: options.window };
    const ceilings: number[] = [];
    for (let n = 0; n < options.runs; n += 1) ceilings.push(await ceiling(corpus, transport, files));
    progress(`${name}: the sender comes to ${Math.round(median(ceilings))} lines/s into a sink`);
    const contenders = contendersOf[name](theirs, transport, files, corpus, options.conditions);
    const runs = await runInTurn(contenders, corpus, options, cache);
    const reference = contenders[0]?.name ?? '';
    of.push({
      transport: name,
      reference,
      senderLinesPerSecond: median(ceilings),
      rows: rows(runs, [reference], corpus),
    });
  }
  rmSync(keys, { recursive: true });
  cleanUp.done();
  return {
    corpus,
    rsyslogVersion: theirs.version,
    runs: options.runs,
    fsyncDelayMs: options.conditions.fsyncDelayMs,
    window: options.window,
    of,
  };
};

/** The first one is what the ratios are to. */
const contendersOf: Record<
  TransportName,
  (
    theirs: Rsyslog,
    transport: Transport,
    files: TlsFiles,
    corpus: Corpus,
    conditions: Conditions,
  ) => Contender[]
> = {
  tls: (theirs, transport, files, corpus, conditions) => [
    ...(['ossl', 'gtls'] as const).map((driver) => {
      const name = `rsyslog, TLS by ${driver === 'ossl' ? 'OpenSSL' : 'GnuTLS'}`;
      const input = { kind: 'tls', driver, files } as const;
      return { name, run: (dir: string) => runRsyslog(theirs, name, input, transport, corpus, dir) };
    }),
    {
      name: 'Holdfast, TLS, durable',
      run: (dir) =>
        runDurable(
          'Holdfast, TLS, durable',
          { kind: 'syslog-tls', tls: files },
          transport,
          corpus,
          dir,
          conditions,
        ),
    },
  ],
  relp: (theirs, transport, _, corpus, conditions) => [
    {
      name: 'rsyslog, RELP',
      run: (dir) =>
        runRsyslog(theirs, 'rsyslog, RELP', { kind: 'relp', files: null }, transport, corpus, dir),
    },
    {
      name: 'Holdfast, RELP, durable',
      run: (dir) =>
        runDurable(
          'Holdfast, RELP, durable',
          { kind: 'relp', tls: null },
          transport,
          corpus,
          dir,
          conditions,
        ),
    },
  ],
};
