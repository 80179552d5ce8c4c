import { textOf, thisHost, type HostPaths } from '../host.ts';
import type { PackageChange } from '../patches/dpkg-log.ts';
import { executableOf, statusField, userNames } from '../services/processes.ts';
import type { HolderProcess, Listener } from '../services/report.ts';

/** What came with a door: who holds it, who started that, and what happened to its package. */
export type Opening = {
  /** RFC 3339: not longer ago than this (`Listener.listeningSince`). */
  notBefore: string | null;
  program: Pick<
    HolderProcess,
    'pid' | 'exe' | 'script' | 'user' | 'unit' | 'package' | 'version' | 'enabled' | 'container'
  > | null;
  /** The program that started it. */
  parent: string | null;
  /** Who had logged in to start it (loginuid); `null` for what the system started by itself. */
  login: string | null;
  socketUnit: string | null;
  /** The last that dpkg did to its package. */
  packageChange: PackageChange | null;
  /** Everything that dpkg did within ten minutes of the opening. */
  changesNear: readonly PackageChange[];
};

const nearMs = 10 * 60_000;
const nobody = 4_294_967_295; // (uid_t)-1: nobody has logged in, pam_loginuid(8)

/**
 * @param at when the door was seen first, in milliseconds since 1970
 * @param changes what dpkg did, the oldest first (`packageChanges`)
 */
export const openingOf = (
  listener: Listener,
  at: number,
  changes: readonly PackageChange[],
  paths: HostPaths = thisHost,
): Opening => {
  const { proc, root } = paths;
  const holder = listener.processes.toSorted((a, b) =>
    (a.startedAt ?? '').localeCompare(b.startedAt ?? ''),
  )[0];
  const opened = listener.listeningSince === null ? at : Math.min(at, Date.parse(listener.listeningSince));
  const near = changes.filter(({ time }) => {
    const when = Date.parse(time);
    return when >= opened - nearMs && when <= at + nearMs;
  });
  return {
    notBefore: listener.listeningSince,
    program: holder === undefined ? null : shown(holder),
    parent: holder === undefined ? null : parentOf(proc, holder.pid),
    login: holder === undefined ? null : loginOf(proc, root, holder.pid),
    socketUnit: listener.socketUnit,
    packageChange: changes.findLast(({ name }) => name === holder?.package) ?? null,
    changesNear: near.slice(-20),
  };
};

const shown = ({
  pid,
  exe,
  script,
  user,
  unit,
  package: name,
  version,
  enabled,
  container,
}: HolderProcess) => ({
  pid,
  exe,
  script,
  user,
  unit,
  package: name,
  version,
  enabled,
  container,
});

const parentOf = (proc: string, pid: number): string | null => {
  const parent = Number(statusField(textOf(`${proc}/${pid}/status`) ?? '', 'PPid') ?? '0');
  return parent === 0 ? null : (executableOf(proc, parent)?.path ?? null);
};

const loginOf = (proc: string, root: string, pid: number): string | null => {
  const text = textOf(`${proc}/${pid}/loginuid`)?.trim();
  if (text === undefined || text === '' || Number(text) === nobody) return null;
  return userNames(textOf(`${root}/etc/passwd`) ?? '').get(Number(text)) ?? text;
};
