import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { alive } from '../harness/up.ts';
import { childrenOf } from './process.ts';
import { runProgram, type Outcome, type RunOptions } from './run.ts';

/**
 * A place for hosts that nothing outside can see: a network namespace with a bridge, a mount namespace with a file
 * system in memory on which the hosts lie, and a process namespace around all of their processes. All is gone when the
 * process that holds them is, and that ends with this one, however this one ends.
 */
export type Network = {
  /** Puts a command into the network, as a stranger on the bridge: it is no host, and has `address`. */
  enter(command: readonly string[]): string[];
  /** The stranger's address. */
  address: string;
  /** Runs a program in the network, on this machine's own files. */
  run(command: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** Where the hosts lie, as a process inside sees it. */
  inside: string;
  /** The same directory as seen from here. */
  outside: string;
  /** An address that no host has yet. */
  nextAddress(): string;
  close(): Promise<void>;
};

export const bridge = 'br0';
export const prefixLength = 24;
/** In a namespace of its own, so it is in nobody's way. */
const addressOf = (n: number): string => `10.78.0.${n}`;

// nspawn keeps locks and sockets in /run: here they are nobody else's.
const script = `
set -e
mount -t tmpfs -o mode=755 tmpfs "$1"
mount -t tmpfs -o mode=755 tmpfs /run
ip link set lo up
ip link add ${bridge} type bridge
ip address add ${addressOf(1)}/${prefixLength} dev ${bridge}
ip link set ${bridge} up
echo made
exec cat
`;

const unshared = ['--net', '--mount', '--propagation', 'private', '--pid', '--mount-proc', '--fork'];

const namePrefix = 'holdfast-fleet-';

/** Mount points of a run that was killed: what was mounted on them ended with it. */
const removeAbandoned = (): void => {
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${namePrefix}(\\d+)-`).exec(name)?.[1];
    try {
      if (pid !== undefined && !alive(Number(pid))) rmdirSync(join(tmpdir(), name));
    } catch {
      // Another run has just done so.
    }
  }
};

export const makeNetwork = async (): Promise<Network> => {
  removeAbandoned();
  const inside = mkdtempSync(join(tmpdir(), `${namePrefix}${process.pid}-`));
  const holder: ChildProcess = spawn(
    'unshare',
    [...unshared, 'sh', '-c', script, 'sh', inside],
    // `cat` ends with this pipe; as the first process of its namespace it takes all others in it along.
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const exited = once(holder, 'exit');
  let complaint = '';
  holder.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  if (holder.stdout === null) throw new Error('no output of the holder of the network');
  await Promise.race([once(holder.stdout, 'data'), exited]);
  if (holder.exitCode !== null) {
    rmSync(inside, { recursive: true, force: true });
    throw new Error(`no network for hosts could be made: ${complaint}`);
  }
  const [first = 0] = childrenOf(holder.pid ?? 0);
  const enter = (command: readonly string[]): string[] => [
    'nsenter',
    `--target=${first}`,
    '--net',
    '--mount',
    '--pid',
    '--',
    ...command,
  ];
  let hosts = 1;
  return {
    enter,
    address: addressOf(1),
    run: async (command, options) => runProgram(enter(command), options),
    inside,
    outside: `/proc/${first}/root${inside}`,
    nextAddress: () => addressOf(++hosts),
    async close() {
      holder.stdin?.end();
      await exited;
      rmSync(inside, { recursive: true, force: true });
    },
  };
};
