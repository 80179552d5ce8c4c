import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stateDirectory } from '#base/state';
import { corpus as makeCorpus } from './corpus/corpus.ts';
import { BenchError } from './errors.ts';
import { removeAtExit } from './run/clean-up.ts';
import { median } from './run/figures.ts';
import { startProcess } from './run/process.ts';
import { progress } from './run/progress.ts';
import { settleDisk, warm } from './run/settle-disk.ts';
import { bytesBelow } from './run/usage.ts';
import type { Checked } from './vault/check.ts';
import type { Grown, GrowOrder } from './vault/grow.ts';
import { runPeers } from './vault/peers.ts';

export type VerifyBenchOptions = { lines: number; runs: number; after: 'remove' | 'keep' };

export type VerifyRow = {
  what: string;
  linesPerSecond: number;
  wallSeconds: number;
  cpuSecondsPerMillion: number;
  /** Not known of the peers. */
  peakMB: number | null;
};

export type VerifyResult = Grown & {
  runs: number;
  segmentsMB: number;
  /** Medians: `vault verify`, then the peers, and last the time of all peers together. */
  rows: VerifyRow[];
  /** Lines/s of `vault verify`, as a ratio to those of each peer by name: taken run by run, medians. */
  ratios: Record<string, number>;
};

const corpusLines = 200_000;

type Timed = { what: string; wallSeconds: number; cpuSeconds: number; peakBytes: number | null };

/**
 * Makes a vault and verifies it `runs` times, and reads the same files in ways that everybody knows.
 * @throws BenchError `wrong-count` if the vault has not as many lines as it was given, or verifying finds anything
 */
export const verifyBench = async (options: VerifyBenchOptions, cache: string): Promise<VerifyResult> => {
  mkdirSync(cache, { recursive: true });
  const home = join(cache, `run-${process.pid}`);
  mkdirSync(home);
  const cleanUp = options.after === 'keep' ? null : removeAtExit(home);
  const root = join(home, 'state');
  const { vault } = stateDirectory(root);
  const segments = join(vault, 'segment');

  const made = await makeCorpus(join(cache, 'corpus'), Math.min(corpusLines, options.lines));
  progress(`growing a vault of ${options.lines.toLocaleString('en-US')} lines …`);
  const order: GrowOrder = { state: root, corpus: made.path, corpusLines: made.lines, lines: options.lines };
  const { grown } = await run<{ grown: Grown }>('grow', JSON.stringify(order), 'grown');
  if (grown.lines !== options.lines)
    throw new BenchError('wrong-count', `the vault has ${grown.lines} lines of ${options.lines}. No figures`);
  settleDisk(home);
  for (const entry of readdirSync(segments, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) warm(join(entry.parentPath, entry.name));

  const runs: Timed[][] = [];
  for (let n = 1; n <= options.runs; n += 1) {
    const { checked } = await run<{ checked: Checked }>('check', root, 'checked');
    if (checked.problems > 0 || checked.lines !== grown.lines)
      throw new BenchError(
        'wrong-count',
        `verifying found ${checked.problems} problems, and ${checked.lines} lines where there are ${grown.lines}. ` +
          'No figures',
      );
    progress(`run ${n} of ${options.runs}: verified in ${checked.wallSeconds.toFixed(2)} s`);
    const peers = runPeers(segments).map(({ name, ...peer }) => ({ what: name, ...peer, peakBytes: null }));
    const sum = (value: (peer: Timed) => number): number =>
      peers.reduce((total, peer) => total + value(peer), 0);
    const both = {
      what: 'both',
      wallSeconds: sum((peer) => peer.wallSeconds),
      cpuSeconds: sum((peer) => peer.cpuSeconds),
      peakBytes: null,
    };
    runs.push([{ what: 'vault verify', ...checked }, ...peers, both]);
  }
  const segmentsMB = bytesBelow(segments) / 1e6;
  if (options.after === 'remove') rmSync(home, { recursive: true });
  cleanUp?.done();
  return { ...grown, runs: options.runs, segmentsMB, ...medians(runs, options.lines) };
};

const medians = (runs: readonly Timed[][], lines: number): Pick<VerifyResult, 'rows' | 'ratios'> => {
  const names = (runs[0] ?? []).map(({ what }) => what);
  const rows = names.map((what, i) => {
    const of = (value: (timed: Timed) => number): number =>
      median(runs.flatMap((all) => all.slice(i, i + 1).map(value)));
    const peak = of(({ peakBytes }) => (peakBytes ?? Number.NaN) / 1e6);
    return {
      what,
      linesPerSecond: of(({ wallSeconds }) => lines / wallSeconds),
      wallSeconds: of(({ wallSeconds }) => wallSeconds),
      cpuSecondsPerMillion: of(({ cpuSeconds }) => (cpuSeconds / lines) * 1e6),
      peakMB: Number.isNaN(peak) ? null : peak,
    };
  });
  const ratio = (i: number): number =>
    median(runs.map((all) => (all[i]?.wallSeconds ?? Number.NaN) / (all[0]?.wallSeconds ?? Number.NaN)));
  return { rows, ratios: Object.fromEntries(names.slice(1).map((name, i) => [name, ratio(i + 1)])) };
};

/** Runs `vault/<name>.ts` and waits for what it says. */
const run = async <Said>(name: 'grow' | 'check', argument: string, member: string): Promise<Said> => {
  const file = join(import.meta.dirname, 'vault', `${name}.ts`);
  const child = startProcess({
    name,
    file: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', file, argument],
    output: 'stdout',
  });
  const said: Said = JSON.parse(await child.said(member));
  await child.stop(10_000);
  return said;
};
