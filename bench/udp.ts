import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { corpus as makeCorpus } from './corpus/corpus.ts';
import { BenchError } from './errors.ts';
import { removeAtExit } from './run/clean-up.ts';
import { progress } from './run/progress.ts';
import { settleDisk, warm } from './run/settle-disk.ts';
import type { Tuning } from './syslog-ng/config.ts';
import { syslogNg } from './syslog-ng/package.ts';
import { highestRate, onlyRate, type HighestRate } from './udp/highest-rate.ts';
import { tryHoldfast } from './udp/holdfast.ts';
import { allowReceiveBuffer } from './udp/receive-buffer.ts';
import { trySyslogNg } from './udp/syslog-ng.ts';
import { lineChecks } from './udp/ticks.ts';
import { lost, type Range, type Trial } from './udp/trial.ts';

export type UdpOptions = {
  /** Of the corpus: no trial sends more. */
  lines: number;
  /** How often Holdfast is tried at syslog-ng's highest rate, and with more than it can take. */
  runs: number;
  seconds: number;
  /** The first rate that is tried, or the only one. */
  rates: { from: number } | { only: number };
  senders: readonly number[];
  after: 'remove' | 'keep';
  profiles: string | null;
};

export type UdpResult = {
  syslogNgVersion: string;
  receiveBuffer: number;
  seconds: number;
  /** For each number of senders. */
  of: {
    senders: number;
    syslogNg: Record<Tuning, HighestRate>;
    holdfast: HighestRate;
    /** Holdfast at the highest rate at which either syslog-ng lost none. */
    atTheirs: Trial[];
    /** Holdfast under all that the senders can send. */
    beyond: Trial[];
  }[];
};

const wantedBuffer = 64 * 1024 * 1024;
const precision = 20;

/** @throws BenchError */
export const udpBench = async (options: UdpOptions, cache: string): Promise<UdpResult> => {
  mkdirSync(cache, { recursive: true });
  const syslog = syslogNg(cache);
  progress(`syslog-ng ${syslog.version}; corpus of ${options.lines.toLocaleString('en-US')} lines …`);
  const corpus = await makeCorpus(join(cache, 'corpus'), options.lines);
  warm(corpus.path);
  const buffer = allowReceiveBuffer(wantedBuffer);
  const range: Range = {
    corpus,
    checks: await lineChecks(corpus),
    receiveBuffer: buffer.granted,
    seconds: options.seconds,
  };

  const home = join(cache, `run-${process.pid}`);
  mkdirSync(home);
  const cleanUp = options.after === 'keep' ? null : removeAtExit(home);
  let number = 0;
  const once = async (name: string, run: (dir: string) => Promise<Trial>): Promise<Trial> => {
    number += 1;
    const dir = join(home, String(number));
    mkdirSync(dir);
    settleDisk(dir);
    const trial = await run(dir);
    if (options.after === 'remove') rmSync(dir, { recursive: true });
    progress(
      `${name}: ${trial.rate === 0 ? 'all they can' : `${trial.rate}/s`}: sent ${trial.sent} at ` +
        `${Math.round(trial.reachedRate)}/s, stored ${trial.stored}, lost ${lost(trial)}` +
        (trial.counted === null ? '' : `, counted ${sumOf(trial.counted)} ${JSON.stringify(trial.counted)}`) +
        `; ${trial.cpuMicrosPerDatagram.toFixed(1)} CPU µs each, ${trial.peakMB.toFixed(0)} MB`,
    );
    const unaccounted = trial.counted === null ? 0 : lost(trial) - sumOf(trial.counted);
    if (unaccounted !== 0)
      throw new BenchError(
        'wrong-count',
        `${name}: sent ${trial.sent}, stored ${trial.stored}, counted as lost ${sumOf(trial.counted ?? {})}: ` +
          `${unaccounted} datagrams are in neither. No figures`,
      );
    return trial;
  };

  const { rates } = options;
  const highest = (attempt: (rate: number) => Promise<Trial>): Promise<HighestRate> =>
    'only' in rates ? onlyRate(rates.only, attempt) : highestRate(rates.from, precision, attempt);
  const of: UdpResult['of'] = [];
  for (const senders of options.senders) {
    const theirs = (tuning: Tuning) =>
      highest((rate) =>
        once(`syslog-ng, ${tuning}, ${senders} senders`, (dir) =>
          trySyslogNg(syslog, tuning, range, { rate, senders }, dir),
        ),
      );
    const ours = (rate: number) =>
      once(`Holdfast, ${senders} senders`, (dir) =>
        tryHoldfast(range, { rate, senders }, dir, options.profiles),
      );
    const several = async (rate: number): Promise<Trial[]> => {
      const trials: Trial[] = [];
      for (let n = 0; n < options.runs; n += 1) trials.push(await ours(rate));
      return trials;
    };
    const syslogNgRates = { plain: await theirs('plain'), tuned: await theirs('tuned') };
    const best = Math.round(Math.max(syslogNgRates.plain.rate, syslogNgRates.tuned.rate));
    const atTheirs = 'only' in rates || best === 0 ? [] : await several(best);
    of.push({
      senders,
      syslogNg: syslogNgRates,
      atTheirs,
      holdfast: await highest(ours),
      beyond: await several(0),
    });
  }
  rmSync(home, { recursive: options.after === 'remove', force: true });
  cleanUp?.done();
  buffer.cleanUp?.done();
  return {
    syslogNgVersion: syslog.version,
    receiveBuffer: buffer.granted,
    seconds: options.seconds,
    of,
  };
};

const sumOf = (counted: Record<string, number>): number =>
  Object.values(counted).reduce((sum, count) => sum + count, 0);
