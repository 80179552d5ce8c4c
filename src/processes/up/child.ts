import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import type { OwnLog } from '#base/own-log';
import { childReady } from '#wire/ready';
import type { ProcessName } from './accounts.ts';
import type { Command } from './fence.ts';

/** One supervised process: started, watched, started again when it dies, ended by closing its standard input. */
export type Supervised = {
  name: ProcessName;
  /** Resolves when it first serves; rejects when it ends before that. */
  ready: Promise<void>;
  pid(): number | null;
  addresses(): Record<string, string>;
  /** Ends it in order, by force after `graceMs`. */
  stop(graceMs: number): Promise<void>;
};

const firstPauseMs = 50;
const longestPauseMs = 5000;
/** A process that served this long is taken to be well again. */
const wellAfterMs = 10_000;

export const supervise = (
  name: ProcessName,
  command: Command,
  env: NodeJS.ProcessEnv,
  log: OwnLog,
  onChange: () => void,
): Supervised => {
  let child: ChildProcess | null = null;
  let addresses: Record<string, string> = {};
  let stopping = false;
  let pause = firstPauseMs;
  let settle: { resolve: () => void; reject: (error: Error) => void } | null = null;
  let ended: Promise<void> = Promise.resolve();
  const ready = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));

  const start = (): void => {
    const started = performance.now();
    // A process group of its own: Ctrl-C in the terminal reaches the supervisor alone, which then ends all in order.
    const running = spawn(command.file, command.args, {
      cwd: command.cwd,
      env,
      stdio: ['pipe', 'ignore', 'inherit', 'pipe'],
      detached: true,
    });
    child = running;
    running.stdin?.on('error', () => undefined);
    const channel = running.stdio[3];
    if (channel) {
      createInterface({ input: channel as Readable }).on('line', (line) => {
        addresses = childReady.parse(JSON.parse(line)).addresses;
        settle?.resolve();
        settle = null;
        onChange();
      });
    }
    ended = new Promise((resolve) => {
      running.on('error', (error) => {
        settle?.reject(new Error(`${name} could not be started: ${error.message}`));
        resolve();
      });
      running.on('exit', (status, signal) => {
        child = null;
        resolve();
        if (stopping) return;
        const how = signal === null ? `with status ${status}` : `by ${signal}`;
        if (settle !== null) {
          settle.reject(new Error(`${name} ended ${how} before it served; its reason is above`));
          settle = null;
          return;
        }
        pause =
          performance.now() - started > wellAfterMs ? firstPauseMs : Math.min(pause * 2, longestPauseMs);
        log('warning', `${name} ended ${how}; it is started again in ${pause} ms`);
        onChange();
        void sleep(pause).then(() => {
          if (!stopping) start();
        });
      });
    });
  };
  start();

  return {
    name,
    ready,
    pid: () => child?.pid ?? null,
    addresses: () => addresses,
    async stop(graceMs) {
      stopping = true;
      const running = child;
      if (running === null) return;
      running.stdin?.end();
      const timer = setTimeout(() => {
        log(
          'warning',
          `${name} did not end within ${graceMs} ms and was killed; nothing acknowledged is lost by that`,
        );
        running.kill('SIGKILL');
      }, graceMs);
      await ended;
      clearTimeout(timer);
    },
  };
};
