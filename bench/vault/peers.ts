import { spawnSync } from 'node:child_process';
import { BenchError } from '../errors.ts';
import { endedChildrenCpuSeconds } from '../run/usage.ts';

/**
 * What anybody who wants to know whether stored lines are whole has at hand, over the same files: reading and hashing
 * them as they are stored, and reading every line out of them.
 */
export type Peer = { name: string; wallSeconds: number; cpuSeconds: number };

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

/** @param dir the segments @returns one after the other, each alone on the machine */
export const runPeers = (dir: string): Peer[] => [
  timed('sha256sum', `${files(dir)} | xargs -0 sha256sum | tail -n 1`),
  has('zstd')
    ? timed('zstdcat | wc -l', `${files(dir)} | xargs -0 zstd -dcq | wc -l`)
    : // Without zstd(1), the time in which one reads the stored bytes twice more: less than it would take.
      timed('cat, twice (no zstd here)', `(${files(dir)}; ${files(dir)}) | xargs -0 cat | wc -l`),
];

const files = (dir: string): string => `find '${dir.replaceAll("'", String.raw`'\''`)}' -type f -print0`;

const timed = (name: string, command: string): Peer => {
  const cpu = endedChildrenCpuSeconds();
  const started = performance.now();
  const { status, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', command], { encoding: 'utf8' });
  if (status !== 0) throw new BenchError('failed', `${name}: ${stderr.trim()}`);
  const wallSeconds = (performance.now() - started) / 1000;
  return { name, wallSeconds, cpuSeconds: endedChildrenCpuSeconds() - cpu };
};
