import { readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { messageOf } from './errors.ts';
import { ownLog, type OwnLog } from './own-log.ts';

/** What a process hands back once it serves. */
export type Running = {
  /** What it listens on, by name, for `run/ready.json`; `{}` if nothing. */
  addresses: Record<string, string>;
  /** Ends in order: takes nothing new, makes durable what it has, closes. Called once. */
  stop(): Promise<void>;
};

/**
 * Runs a process of the product under its supervisor (`holdfast up`) or a service manager.
 *
 * - its configuration is one JSON argument, or `@FILE` with it (never a secret: argv is world-readable);
 * - it says `{"ready":true,"pid":…,"addresses":{…}}` when it serves: on descriptor 3 if HOLDFAST_READY_FD is set to 3;
 *   in the file HOLDFAST_READY_FILE, which is there only while it serves, if a service manager has set that;
 * - it stops on SIGTERM, and without a service manager also when its standard input ends (the supervisor is gone);
 *   SIGINT is the supervisor's;
 * - exit status: 0 stopped in order, 1 a fault it could not serve through, 2 its configuration is wrong.
 */
export const runChild = async <Config>(
  name: string,
  parse: (config: unknown) => Config,
  start: (config: Config, log: OwnLog, fail: (error: unknown) => never) => Promise<Running>,
): Promise<void> => {
  const log = ownLog(name);
  const fail = (error: unknown): never => {
    log('error', messageOf(error));
    if (process.env['HOLDFAST_DEBUG'] !== undefined && error instanceof Error)
      log('error', error.stack ?? '');
    process.exit(1);
  };
  const readyFile = process.env['HOLDFAST_READY_FILE'] ?? null;
  if (readyFile !== null) rmSync(readyFile, { force: true });
  process.on('SIGINT', () => undefined);
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);

  let config: Config;
  try {
    config = parse(JSON.parse(readArgument(process.argv[2] ?? '{}')));
  } catch (error) {
    log('error', `configuration: ${messageOf(error)}`);
    process.exit(2);
  }

  let running: Running | null = null;
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    if (readyFile !== null) rmSync(readyFile, { force: true });
    void (async () => {
      try {
        await running?.stop();
        process.exit(0);
      } catch (error) {
        fail(error);
      }
    })();
  };
  process.on('SIGTERM', stop);
  if (readyFile === null) {
    process.stdin.on('end', stop);
    process.stdin.on('error', stop);
    process.stdin.resume();
  }

  try {
    running = await start(config, log, fail);
  } catch (error) {
    fail(error);
    return;
  }
  const word = `${JSON.stringify({ ready: true, pid: process.pid, addresses: running.addresses })}\n`;
  if (process.env['HOLDFAST_READY_FD'] === '3') writeSync(3, word);
  if (readyFile !== null && !stopping) replaceWhole(readyFile, word);
};

const readArgument = (argument: string): string =>
  argument.startsWith('@') ? readFileSync(argument.slice(1), 'utf8') : argument;

/** Whoever waits for the file finds all of it. */
const replaceWhole = (file: string, text: string): void => {
  writeFileSync(`${file}.new`, text, { mode: 0o644 });
  renameSync(`${file}.new`, file);
};
