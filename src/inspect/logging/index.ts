import type { Clock } from '#base/clock';
import type { CouldNotLook } from '#base/looked';
import { formatMicros } from '#base/rfc3339';
import { initSystem, textOf, thisHost, type HostPaths } from '../host.ts';
import { examineAudit } from './audit-daemon.ts';
import { examineClock } from './clock-state.ts';
import { examineJournal } from './journald.ts';
import { growingFiles, walkLogs, wrongPermissions } from './log-files.ts';
import { examineSyslogSocket, udpLosses } from './log-sockets.ts';
import { lookAtOpenFiles } from './open-files.ts';
import { foreignFiles } from './own-output.ts';
import { examineRotation } from './rotation.ts';
import { findShippers, type Shipper } from './shippers.ts';
import type { HoldfastShipping, LoggingReport } from './report.ts';

export type { HoldfastShipping, LoggingReport, SyslogSocket, UdpLoss } from './report.ts';
export type { AuditDaemon } from './audit-daemon.ts';
export type { ClockState } from './clock-state.ts';
export type { Destination } from './destination.ts';
export type { JournalState } from './journald.ts';
export type { LogFile, LogPermission } from './log-files.ts';
export type { Rotation } from './rotation.ts';
export type { Shipper } from './shippers.ts';

export type CollectLoggingOptions = {
  clock: Clock;
  /** What Holdfast takes up on this host; `null` (the default) where it does not run. */
  holdfast?: HoldfastShipping | null;
  /** Default: the host that this process runs on. */
  paths?: HostPaths;
};

/** Examines logging: where logs go, what grows that nobody ships, whether the clock and the permissions are right. */
export const collectLogging = async ({
  clock,
  holdfast = null,
  paths = thisHost,
}: CollectLoggingOptions): Promise<LoggingReport> => {
  const started = clock.elapsed();
  const { root, proc } = paths;
  const open = lookAtOpenFiles(proc);
  const asking = Promise.all([examineClock(root, open), examineAudit(root, open)]);
  const { journal, couldNotLook: journalUnseen } = examineJournal(root, open);
  const shippers = findShippers(root, open.processes);
  const rotation = examineRotation(root);
  const logs = walkLogs(root);
  const files = growingFiles({
    onDisk: logs.files,
    open: foreignFiles(open, holdfast?.pids ?? []),
    shippers,
    rotation,
    holdfast,
    now: clock.now() / 1000,
  });
  const [{ clock: clockState, couldNotLook: clockUnseen }, audit] = await asking;
  const unknown = shippers.filter(
    ({ pid, destinations, name }) => pid !== null && destinations.length === 0 && !syslogDaemons.has(name),
  );
  const couldNotLook: CouldNotLook[] = [
    ...open.couldNotLook,
    ...journalUnseen,
    ...logs.couldNotLook,
    ...clockUnseen,
    ...socketsUnseen(proc),
    ...unknown.map(({ name, pid }) => ({
      what: `where ${name} (pid ${pid}) sends logs`,
      why: 'its configuration was not found, or names no address',
      remedy: `look at the command line: \`ps -o args -p ${pid}\``,
    })),
  ];
  return {
    time: formatMicros(clock.now()),
    journal,
    syslogSocket: examineSyslogSocket(root, proc, open),
    shippers,
    holdfast,
    processesSeen: open.named,
    init: initSystem(paths),
    leavesHost: leaves(shippers, holdfast, unknown.length > 0 || open.named !== 'all' ? 'unknown' : 'none'),
    files,
    permissions: wrongPermissions(logs.files, logs.directories),
    rotation,
    clock: clockState,
    audit,
    losses: udpLosses(proc, open),
    milliseconds: Math.round(clock.elapsed() - started),
    couldNotLook,
  };
};

/** /proc/net (proc_net(5)) tells of listeners and losses; without it nothing is said of either. */
const socketsUnseen = (proc: string): CouldNotLook[] => {
  const closed = ['unix', 'udp'].filter((table) => textOf(`${proc}/net/${table}`) === null);
  return closed.length === 0
    ? []
    : [
        {
          what: 'whether anything listens on /dev/log, and datagrams that log daemons lost',
          why: `${closed.map((table) => `${proc}/net/${table}`).join(' and ')} cannot be read`,
          remedy: `mount a procfs: mount -t proc proc ${proc}`,
        },
      ];
};

/** Their configuration is read in full: no destination means that nothing is sent. */
const syslogDaemons = new Set(['rsyslog', 'syslog-ng']);

const leaves = (
  shippers: readonly Shipper[],
  holdfast: HoldfastShipping | null,
  others: 'unknown' | 'none',
): boolean | null => {
  if (holdfast !== null && holdfast.destination !== null) return true;
  if (shippers.some(({ pid, destinations }) => pid !== null && destinations.some((each) => each.leavesHost)))
    return true;
  return others === 'unknown' ? null : false;
};
