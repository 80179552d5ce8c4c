import type { CouldNotLook } from '#base/looked';
import type { InitSystem } from '../host.ts';
import type { AuditDaemon } from './audit-daemon.ts';
import type { ClockState } from './clock-state.ts';
import type { JournalState } from './journald.ts';
import type { LogFile, LogPermission } from './log-files.ts';
import type { Rotation } from './rotation.ts';
import type { Shipper } from './shippers.ts';

/** What Holdfast itself takes up on this host, as its caller knows; it counts only while Holdfast runs. */
export type HoldfastShipping = {
  journal: boolean;
  kernel: boolean;
  /** Directories (all text files below them) and single files, absolute. */
  files: string[];
  /** Host that keeps the log; `null` = this one, so that what is here stays here. */
  destination: string | null;
  /** Holdfast's own directories: what it writes there is not a log that somebody forgot. */
  ownDirectories: string[];
  /** Holdfast's own processes: neither is what they alone write, e.g. the redirected output of `holdfast up`. */
  pids?: readonly number[];
  /** Who reads the files: what its permission bits do not let it read is not shipped. Absent: everything is read. */
  reader?: { uid: number; groups: readonly number[] };
};

/** Who receives what programs say with syslog(3). */
export type SyslogSocket = {
  path: '/dev/log';
  /** A process listens there. `false`: what programs say is thrown away. `null`: could not look. */
  listening: boolean | null;
  /** Its name; `null` where that may not be seen. */
  heldBy: string | null;
};

/** Datagrams that the kernel threw away because a log daemon was too slow, since its socket was opened. */
export type UdpLoss = { address: string; heldBy: string; dropped: number };

/** Section `logging` of the audit. Times are RFC 3339 UTC. */
export type LoggingReport = {
  time: string;
  journal: JournalState;
  syslogSocket: SyslogSocket;
  shippers: Shipper[];
  holdfast: HoldfastShipping | null;
  /** Whether all processes could be seen by name: only then is a daemon that was not found one that does not run. */
  processesSeen: 'all' | 'some' | 'none';
  init: InitSystem;
  /** Whether any of it leaves this host; `null` = what ships it, or where to, could not be seen. */
  leavesHost: boolean | null;
  /** Logs that grow: written to in the last week, or open for writing now. */
  files: LogFile[];
  permissions: LogPermission[];
  rotation: Rotation;
  clock: ClockState;
  audit: AuditDaemon;
  losses: UdpLoss[];
  milliseconds: number;
  couldNotLook: CouldNotLook[];
};
