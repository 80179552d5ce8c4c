import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { StoredDelivery } from '../../src/receive/testing/stored.ts';
import { linesOf } from '../../src/receive/testing/stored.ts';
import { run } from './running.ts';

/** A directory of the test's own. */
export const workspace = (t: TestContext): string => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-sender-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};

export type Daemon = {
  /** What it has to say. */
  output(): string;
  /** Asks it to end (SIGTERM), and waits. */
  stop(): Promise<void>;
};

/** Runs a daemon in the foreground until the test is over. */
export const startDaemon = (
  t: TestContext,
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Daemon => {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += String(chunk);
    });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  t.after(() => end('SIGKILL'));
  return { output: () => output, stop: () => end('SIGTERM') };
};

/** `count` lines that differ, under this program's name, into a daemon's unix datagram socket. */
export const log = async (
  t: TestContext,
  socket: string,
  program: string,
  count: number,
  from = 0,
): Promise<void> => {
  const file = join(workspace(t), 'lines');
  writeFileSync(file, Array.from({ length: count }, (_, n) => `${program} number ${from + n}.\n`).join(''));
  const { code, output } = await run(t, 'logger', ['--socket', socket, '--tag', program, '--file', file]);
  if (code !== 0) throw new Error(`logger ended with ${code}: ${output}`);
};

/** Numbers of the lines of this program, in the order in which they were stored, and whether each is marked with `flag`. */
export const numbersOf = (
  deliveries: readonly StoredDelivery[],
  program: string,
): { n: number; flags: number; tlsName: string; listener: string }[] =>
  deliveries.flatMap((delivery) =>
    linesOf(delivery).flatMap(({ raw, flags }) => {
      const found = new RegExp(`${program} number (\\d+)\\.`).exec(raw.toString());
      return found === null
        ? []
        : [{ n: Number(found[1]), flags, tlsName: delivery.tlsName, listener: delivery.listener }];
    }),
  );

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
