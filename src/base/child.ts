import { writeSync } from 'node:fs';
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
 * - its configuration is one JSON argument (never a secret: argv is world-readable);
 * - it says `{"ready":true,"addresses":{…}}` on descriptor 3 when it serves, if HOLDFAST_READY_FD is set to 3;
 * - it stops when its standard input ends (the supervisor is gone) or on SIGTERM; SIGINT is the supervisor's;
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
  process.on('SIGINT', () => undefined);
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);

  let config: Config;
  try {
    config = parse(JSON.parse(process.argv[2] ?? '{}'));
  } catch (error) {
    log('error', `configuration: ${messageOf(error)}`);
    process.exit(2);
  }

  let running: Running | null = null;
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
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
  process.stdin.on('end', stop);
  process.stdin.on('error', stop);
  process.stdin.resume();

  try {
    running = await start(config, log, fail);
  } catch (error) {
    fail(error);
    return;
  }
  if (process.env['HOLDFAST_READY_FD'] === '3')
    writeSync(3, `${JSON.stringify({ ready: true, addresses: running.addresses })}\n`);
};
