import { join } from 'node:path';
import { systemClock } from '#base/clock';
import { ownLog } from '#base/own-log';
import type { StateDirectory } from '#base/state';
import { waitingFor } from '#vault/fsck';
import { CliError, Exit, type Context, type Flags } from '#cli';
import { renderSummary } from '#cli/audit';
import { accounts } from './accounts.ts';
import { announce, programName, stateFlag } from './announce.ts';
import { keepDiskForecast } from './disk-watch.ts';
import { ended } from './ended.ts';
import { UpError } from './errors.ts';
import { optionsOf } from './flags.ts';
import { keepAuditFresh } from './host-watch.ts';
import { startUp, type Up } from './supervisor.ts';

const root = join(import.meta.dirname, '..', '..', '..');

/** `holdfast up`: starts everything, says what runs where and what is wrong with this host, and waits for Ctrl-C. */
export const runUp = async ({ io, state, json }: Context, flags: Flags): Promise<Exit> => {
  const uid = process.getuid?.() ?? -1;
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
  const running = await start(state, flags, uid, stopped);
  io.out(json ? `${JSON.stringify(running.ready)}\n` : announce(io, root, state, running, uid));
  const auditing = keepAuditFresh(state, uid === 0 ? accounts.console : null, ownLog('up'), (report) => {
    if (json) return;
    const audit = `${programName(root, process.env)} audit${stateFlag(state, uid)}`;
    io.out(`\n${io.paint('bold', 'This host')}\n${renderSummary(io, report, audit)}\n`);
    io.out(`${io.paint('dim', `All of it: ${audit}. Ctrl-C ends everything.`)}\n`);
  });
  const forecasting = keepDiskForecast(state, systemClock(), ownLog('up'));
  await stopped;
  io.err('\nEnding …\n');
  auditing.stop();
  const stopping = running.stop();
  await forecasting.stop();
  const killed = await stopping;
  if (killed.length > 0) io.err(`Did not end in time and had to be killed: ${killed.join(', ')}.\n`);
  io.err(ended(waitingFor(state), stateFlag(state, uid)));
  // An audit that still waits for apt must not keep the terminal.
  process.exit(Exit.done);
};

const start = async (
  state: StateDirectory,
  flags: Readonly<Record<string, unknown>>,
  uid: number,
  interrupted: Promise<void>,
): Promise<Up> => {
  try {
    const options = optionsOf(flags);
    return await startUp({ root, state, options, uid, log: ownLog('up'), interrupted });
  } catch (error) {
    if (error instanceof UpError) throw new CliError('usage', error.message, { cause: error });
    throw error;
  }
};
