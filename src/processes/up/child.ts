import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { childReady } from '#wire/ready';
import type { ProcessName } from './accounts.ts';
import { unsealedKeyAt } from '../unsealed-key.ts';
import type { Command } from './fence.ts';

/** One supervised process: started, watched, started again when it ends, stopped by closing its standard input. */
export type Supervised = {
  name: ProcessName;
  /** How its first start went: `serves`, or why it did not. It is tried again either way, until `stop`. */
  firstStart: Promise<{ result: 'serves' } | { result: 'failed'; why: string }>;
  /** `null` while it is down. */
  pid(): number | null;
  addresses(): Record<string, string>;
  /** From now on it is not started again where it ends. */
  retire(): void;
  /**
   * Ends it in order, by force after `graceMs`.
   * @returns whether it had to be killed
   */
  stop(graceMs: number): Promise<'ended' | 'killed'>;
};

const firstPauseMs = 50;
const longestPauseMs = 5000;
/** A process that served this long is taken to be well again. */
const wellAfterMs = 10_000;
/** What a child says on its channel is short; a child that was taken over may say anything. */
const longestWord = 64 * 1024;

export const supervise = (
  name: ProcessName,
  command: Command,
  env: NodeJS.ProcessEnv,
  log: OwnLog,
  onChange: () => void,
  openSecret: () => number | null = () => null,
): Supervised => {
  let child: ChildProcess | null = null;
  let addresses: Record<string, string> = {};
  let stopping = false;
  let pause = firstPauseMs;
  let ended: Promise<void> = Promise.resolve();
  const { promise: firstStart, resolve: settleFirst } =
    Promise.withResolvers<Awaited<Supervised['firstStart']>>();

  const start = (): void => {
    const started = performance.now();
    const over = Promise.withResolvers<void>();
    ended = over.promise;
    let isOver = false;
    const end = (how: string): void => {
      if (isOver) return;
      isOver = true;
      child = null;
      over.resolve();
      if (stopping) return;
      settleFirst({ result: 'failed', why: how });
      pause = performance.now() - started > wellAfterMs ? firstPauseMs : Math.min(pause * 2, longestPauseMs);
      log('warning', `${name} ${how}; it is started again in ${pause} ms`);
      onChange();
      void sleep(pause).then(() => {
        if (!stopping) start();
      });
    };
    try {
      child = launch(command, env, openSecret, (word) => {
        addresses = childReady.parse(JSON.parse(word)).addresses;
        settleFirst({ result: 'serves' });
        onChange();
      });
    } catch (error) {
      end(`could not be started: ${messageOf(error)}`);
      return;
    }
    child.on('error', (error) => end(`could not be started: ${error.message}`));
    child.on('exit', (status, signal) =>
      end(signal === null ? `ended with status ${status}` : `was ended by ${signal}`),
    );
  };
  start();

  return {
    name,
    firstStart,
    pid: () => child?.pid ?? null,
    addresses: () => addresses,
    retire: () => void (stopping = true),
    async stop(graceMs) {
      stopping = true;
      const running = child;
      if (running === null) return 'ended';
      let how: 'ended' | 'killed' = 'ended';
      running.stdin?.end();
      const timer = setTimeout(() => {
        how = 'killed';
        running.kill('SIGKILL');
      }, graceMs);
      await ended;
      clearTimeout(timer);
      return how;
    },
  };
};

/** Starts it with a pipe as standard input, which it outlives by no time, and a channel on descriptor 3. */
const launch = (
  command: Command,
  env: NodeJS.ProcessEnv,
  openSecret: () => number | null,
  onReady: (word: string) => void,
): ChildProcess => {
  const secret = openSecret();
  // A process group of its own: Ctrl-C in the terminal reaches the supervisor alone, which then ends all in order.
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: { ...env, ...(secret === null ? {} : unsealedKeyAt(4)) },
    stdio: ['pipe', 'ignore', 'inherit', 'pipe', ...(secret === null ? [] : [secret])],
    detached: true,
  });
  if (secret !== null) closeSync(secret);
  child.stdin?.on('error', () => undefined);
  const channel = child.stdio[3];
  if (!channel) throw new Error('no channel to it');
  let bytes = 0;
  channel.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > longestWord) channel.destroy();
  });
  channel.on('error', () => undefined);
  createInterface({ input: channel as Readable }).once('line', (word) => {
    try {
      onReady(word);
    } catch {
      // Not what a process of ours says: it is not taken to serve.
      child.kill('SIGKILL');
    }
  });
  return child;
};
