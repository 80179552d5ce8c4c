import { chownSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '#base/clock';
import { messageOf } from '#base/errors';
import { ownLog } from '#base/own-log';
import type { StateDirectory } from '#base/state';
import type { AuditReport } from '#wire/audit';
import { CliError, Exit, text, texts, type Context, type Flags, type Io } from '#cli';
import { examineHost, holdfastShipping, renderSummary } from '#cli/audit';
import { accounts } from './accounts.ts';
import { UpError } from './errors.ts';
import { readOptions } from './options.ts';
import { startUp, type Up } from './supervisor.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const auditEveryMs = 60 * 60 * 1000;

/** `holdfast up`: starts everything, says what runs where and what is wrong with this host, and waits for Ctrl-C. */
export const runUp = async ({ io, state, json }: Context, flags: Flags): Promise<Exit> => {
  const uid = process.getuid?.() ?? -1;
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
  const running = await start(state, flags, uid, stopped);
  if (json) io.out(`${JSON.stringify(running.ready)}\n`);
  else announce(io, state, running, uid);
  const auditing = keepAuditFresh(state, uid, (report) => {
    if (!json)
      io.out(
        `\n${io.paint('bold', 'This host')}\n${renderSummary(io, report)}\n${io.paint('dim', "All of it: 'holdfast audit'. Ctrl-C ends everything.")}\n`,
      );
  });
  await stopped;
  io.err('\nEnding …\n');
  clearInterval(auditing);
  await running.stop();
  io.err('Ended. What was acknowledged is in the vault; the next start goes on from here.\n');
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
    const options = readOptions({
      ...optional('listen', texts(flags, 'listen')),
      ...optional('console', text(flags, 'console')),
      ...optional('config', text(flags, 'config')),
      agent: flags['agent'] !== false,
    });
    return await startUp({ root, state, options, uid, log: ownLog('up'), interrupted });
  } catch (error) {
    if (error instanceof UpError) throw new CliError('usage', error.message, { cause: error });
    throw error;
  }
};

const optional = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });

const announce = (io: Io, state: StateDirectory, { ready, consoleLink, gaps }: Up, uid: number): void => {
  const line = (name: string, what: string): string => {
    const child = ready.processes[name];
    return child === undefined
      ? ''
      : `  ${name.padEnd(9)} ${io.paint('dim', `pid ${String(child.pid).padEnd(7)} uid ${String(child.uid).padEnd(6)}`)} ${what}\n`;
  };
  const listeners = Object.entries(ready.receiver).map(([name, address]) => `${name} ${address}`);
  io.out(`${io.paint('bold', 'Holdfast is running')} on ${state.root}\n`);
  io.out(line('receiver', `takes syslog: ${listeners.join(', ')}`));
  io.out(line('keeper', 'makes it provable'));
  io.out(line('indexer', 'makes it searchable'));
  io.out(line('agent', 'sends this host’s own logs'));
  io.out(line('console', `${ready.console}`));
  for (const gap of gaps) io.out(`  ${io.paint('yellow', `note: ${gap}`)}\n`);
  if (uid !== 0)
    io.out(
      `  ${io.paint('yellow', 'note: without root every process runs as you, and logs and sockets of other users may not be seen')}\n`,
    );
  io.out(
    `\n${io.paint('bold', 'Console:')} ${io.paint('cyan', consoleLink)}\n${io.paint('dim', '         (the link opens it for you alone; it is new at each start)')}\n`,
  );
  io.out(
    `Try it:  logger --server 127.0.0.1 --port ${portOf(ready.receiver['syslogUdp'])} --udp 'hello'; holdfast logs search hello\n`,
  );
};

const portOf = (address: string | undefined): string => address?.split(':').at(-1) ?? 'PORT';

/** Examines the host now and each hour; the console shows what is in run/audit.json. */
const keepAuditFresh = (
  state: StateDirectory,
  uid: number,
  first: (report: AuditReport) => void,
): NodeJS.Timeout => {
  let shown = false;
  const examine = async (): Promise<void> => {
    try {
      const { report } = await examineHost({
        clock: systemClock(),
        holdfast: holdfastShipping(state),
      });
      writeAudit(state, report, uid);
      if (!shown) first(report);
      shown = true;
    } catch (error) {
      ownLog('up')('error', `the audit of this host failed: ${messageOf(error)}`);
    }
  };
  void examine();
  return setInterval(() => void examine(), auditEveryMs);
};

/** Written whole or not at all; only the console and the person who started it may read it. */
const writeAudit = (state: StateDirectory, report: AuditReport, uid: number): void => {
  const file = join(state.run, 'audit.json');
  const temporary = `${file}.new`;
  writeFileSync(temporary, JSON.stringify(report), { mode: 0o600 });
  if (uid === 0) chownSync(temporary, accounts.console.uid, accounts.console.gid);
  renameSync(temporary, file);
};
