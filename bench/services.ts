import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { collectServices, newMemory, packageFinder } from '#inspect';
import { BenchError } from './errors.ts';
import { median } from './run/figures.ts';
import { progress } from './run/progress.ts';
import { populate, socketsEach } from './services/population.ts';

export type ServicesBenchOptions = { processes: number; runs: number };

export type ServicesRow = { what: string; milliseconds: number };

export type ServicesResult = {
  processes: number;
  sockets: number;
  runs: number;
  /** Medians. */
  rows: ServicesRow[];
  /** Taken run by run, medians: a time of Holdfast's as a ratio to the tool's. */
  ratios: Record<string, number>;
};

const holdfast = join(import.meta.dirname, '..', 'bin', 'holdfast');
const tools: Readonly<Record<string, readonly string[]>> = {
  lsof: ['lsof', '-n'],
  'lsof -i': ['lsof', '-nP', '-i'],
  'ss -antup': ['ss', '-antup'],
  'services list': [holdfast, 'services', 'list', '--all', '--json'],
  'node alone': [process.execPath, '-e', 'console.log(0)'],
  'holdfast --version': [holdfast, '--version'],
  'services list --help': [holdfast, 'services', 'list', '--help'],
  'logs search --help': [holdfast, 'logs', 'search', '--help'],
};
const rescan = "the agent's rescan";
const compared: readonly (readonly [mine: string, tool: string])[] = [
  ['services list', 'lsof'],
  ['services list', 'lsof -i'],
  [rescan, 'ss -antup'],
];

/**
 * How long commands take to start; and, beside the tools that people use, the whole list of doors and the agent's look
 * after the first, on a host with many sockets.
 * @throws BenchError `unavailable` where lsof or ss is missing, `wrong-count` where the doors are not all seen
 */
export const servicesBench = async ({ processes, runs }: ServicesBenchOptions): Promise<ServicesResult> => {
  progress(
    `opening ${(processes * socketsEach).toLocaleString('en-US')} sockets in ${processes} processes …`,
  );
  const population = await populate(processes);
  try {
    const packages = packageFinder();
    const memory = newMemory();
    const least = (processes * socketsEach) / 2;
    const look = async (): Promise<number> => {
      const started = performance.now();
      const { listeners } = await collectServices({ packages, memory });
      if (listeners.length < least)
        throw new BenchError('wrong-count', `${listeners.length} doors were seen of ${least}. No figures`);
      return performance.now() - started;
    };
    await look();
    const times: Record<string, number>[] = [];
    for (let run = 1; run <= runs; run += 1) {
      progress(`run ${run} of ${runs} …`);
      const of = Object.fromEntries(Object.entries(tools).map(([name, line]) => [name, timed(line)]));
      times.push({ ...of, [rescan]: await look() });
    }
    const of = (what: string): number => median(times.map((one) => one[what] ?? Number.NaN));
    return {
      processes,
      sockets: processes * socketsEach,
      runs,
      rows: [...Object.keys(tools), rescan].map((what) => ({ what, milliseconds: of(what) })),
      ratios: Object.fromEntries(
        compared.map(([mine, tool]) => [
          `${mine} to ${tool}`,
          median(times.map((one) => (one[mine] ?? Number.NaN) / (one[tool] ?? Number.NaN))),
        ]),
      ),
    };
  } finally {
    await population.end();
  }
};

const timed = ([file = '', ...args]: readonly string[]): number => {
  const started = performance.now();
  const { error, stdout } = spawnSync(file, args, { maxBuffer: 1 << 30 });
  const took = performance.now() - started;
  if (error !== undefined || stdout.length === 0)
    throw new BenchError('unavailable', `${file} does not run here: apt-get install lsof iproute2`, {
      cause: error,
    });
  return took;
};
