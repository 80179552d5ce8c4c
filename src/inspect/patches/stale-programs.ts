import { readFileSync, statSync, type Stats } from 'node:fs';
import type { CouldNotLook, Looked } from '#base/looked';
import { systemCode } from '#base/errors';
import { initSystem, textOf, type HostPaths, type InitSystem } from '../host.ts';
import type { PackageFinder } from '../services/packages.ts';
import {
  executableOf,
  isKernelThread,
  scriptOf,
  argumentsOf,
  unitOf,
  userIdOf,
  userNames,
} from '../services/processes.ts';
import { visibleProcesses } from './visible-processes.ts';

/** A file that a process runs, and that is not the file under that name any more. */
export type StaleFile = {
  path: string;
  /** `deleted`: unlinked, as an upgrade does; `replaced`: another file has its name. */
  was: 'deleted' | 'replaced';
  part: 'executable' | 'library';
  /** Package that brings a file of this name; `null` if none does. */
  package: string | null;
};

/** Processes of one unit (or, without one, of one executable and container) that run on stale files. */
export type StaleProgram = {
  /** systemd unit, or `null`. */
  unit: string | null;
  executable: string;
  /** For an interpreter: what it runs. */
  script: string | null;
  pids: number[];
  users: string[];
  files: StaleFile[];
  /** In another root directory than the host's: a container's. */
  contained: boolean;
  /** What ends the use of the old files, in words with the exact command where there is one. */
  restart: string;
};

/**
 * Names that are no files of a package even when they look unlinked: memory-backed, devices, run-time and temporary
 * directories (where just-in-time compilers map their code).
 */
export const ignoredMappings =
  /^(?:\/memfd:|\/SYSV|\/\[|\[|\/dev\/|\/run\/|\/var\/run\/|\/tmp\/|\/var\/tmp\/|\/proc\/|\/drm\b|\/i915\b|\/anon_hugepage\b|\/dmabuf)/;

const neverPrograms = /^\/memfd:/;
const deletedSuffix = ' (deleted)';

/** One line of /proc/<pid>/maps (proc_pid_maps(5)): range, permissions, offset, device, inode, path. */
const mapping = /^[0-9a-f]+-[0-9a-f]+ ..x. [0-9a-f]+ ([0-9a-f]+):([0-9a-f]+) (\d+) +(\/.*)$/gm;

/**
 * Reads the executable mappings of every process. Without privileges those of other users stay unseen, and are named
 * in `couldNotLook`; then nothing found is no `clean`.
 *
 * @param ignored mappings that are left out; the executable itself is looked at wherever it lies
 */
export const findStalePrograms = async (
  paths: HostPaths,
  packages: PackageFinder,
  ignored: RegExp = ignoredMappings,
): Promise<Looked<StaleProgram[]>> => {
  const { proc } = paths;
  const users = userNames(textOf(`${paths.root}/etc/passwd`) ?? '');
  const hostRoot = identityOf(`${proc}/self/root/`);
  const groups = new Map<string, StaleProgram & { root: string }>();
  const disk = new Map<string, Stats | null>();
  const visible = visibleProcesses(proc, 'files that other processes run on');
  let unseen = 0;
  for (const pid of visible.pids) {
    const found = staleFilesOf(proc, pid, ignored, disk);
    if (found === 'unseen') {
      if (!isKernelThread(proc, pid)) unseen += 1;
      continue;
    }
    if (found.length === 0) continue;
    const executable = executableOf(proc, pid)?.path ?? (textOf(`${proc}/${pid}/comm`) ?? '').trim();
    const script = scriptOf(executable, argumentsOf(proc, pid));
    const unit = unitOf(textOf(`${proc}/${pid}/cgroup`) ?? '');
    const ownRoot = identityOf(`${proc}/${pid}/root/`);
    const contained = ownRoot !== null && hostRoot !== null && ownRoot !== hostRoot;
    const key = `${unit ?? `${executable}\0${script ?? ''}`}\0${contained ? ownRoot : ''}`;
    const uid = userIdOf(proc, pid);
    const user = uid === null ? '?' : (users.get(uid) ?? String(uid));
    const group = groups.get(key) ?? {
      unit,
      executable,
      script,
      pids: [],
      users: [],
      files: [],
      contained,
      restart: '',
      root: contained ? `${proc}/${pid}/root` : paths.root,
    };
    groups.set(key, group);
    group.pids.push(pid);
    if (!group.users.includes(user)) group.users.push(user);
    for (const file of found) {
      if (!group.files.some(({ path, part }) => path === file.path && part === file.part))
        group.files.push(file);
    }
  }
  const programs: StaleProgram[] = [];
  for (const { root, ...group } of groups.values()) {
    const owners = await packages.find(group.files.map(({ path }) => ({ root, path })));
    const files = group.files.map((file, i) => ({ ...file, package: owners[i] ?? null }));
    programs.push({ ...group, files, restart: restartOf(group, initSystem(paths)) });
  }
  const couldNotLook: CouldNotLook[] = [...visible.couldNotLook];
  if (unseen > 0) {
    const root = process.getuid?.() === 0;
    couldNotLook.push({
      what: `files that ${unseen} ${unseen === 1 ? 'process runs' : 'processes run'} on`,
      why: root
        ? `${proc}/<pid>/maps is closed even to root (a security module, or CAP_SYS_PTRACE is missing)`
        : 'they belong to other users',
      remedy: root ? 'run outside the sandbox or container' : 'run as root',
    });
  }
  if (programs.length > 0) return { result: 'found', value: programs, couldNotLook };
  // An unprivileged look at one's own processes says nothing about those that matter.
  const blind = visible.seen !== 'all' || (unseen > 0 && process.getuid?.() !== 0);
  return { result: blind ? 'could-not-look' : 'clean', couldNotLook };
};

const staleFilesOf = (
  proc: string,
  pid: number,
  ignored: RegExp,
  disk: Map<string, Stats | null>,
): StaleFile[] | 'unseen' => {
  const executable = executableOf(proc, pid);
  let maps: string;
  try {
    maps = readFileSync(`${proc}/${pid}/maps`, 'latin1');
  } catch (error) {
    return systemCode(error) === 'ENOENT' || systemCode(error) === 'ESRCH' ? [] : 'unseen';
  }
  const files = new Map<string, StaleFile>();
  if (executable?.deleted === true && !neverPrograms.test(executable.path)) {
    files.set(executable.path, { path: executable.path, was: 'deleted', part: 'executable', package: null });
  }
  const seen = new Set<string>();
  for (const [, major = '', minor = '', inode = '', raw = ''] of maps.matchAll(mapping)) {
    if (seen.has(raw)) continue;
    seen.add(raw);
    const deleted = raw.endsWith(deletedSuffix);
    const path = unescape(deleted ? raw.slice(0, -deletedSuffix.length) : raw);
    if (files.has(path)) continue;
    const isExecutable = path === executable?.path;
    if (neverPrograms.test(path) || (!isExecutable && ignored.test(path))) continue;
    const part = isExecutable ? 'executable' : 'library';
    if (deleted) files.set(path, { path, was: 'deleted', part, package: null });
    else if (isReplaced(proc, pid, path, { major, minor, inode }, disk))
      files.set(path, { path, was: 'replaced', part, package: null });
  }
  return [...files.values()];
};

/** The kernel writes a newline in a path as `\012`. */
const unescape = (path: string): string =>
  Buffer.from(path.replaceAll('\\012', '\n'), 'latin1').toString('utf8');

/**
 * Whether another file has the name by now. Told by the inode, on the same device only: overlay and btrfs show one
 * device in maps and another in stat(2).
 */
const isReplaced = (
  proc: string,
  pid: number,
  path: string,
  mapped: { major: string; minor: string; inode: string },
  disk: Map<string, Stats | null>,
): boolean => {
  const key = `${mapped.major}:${mapped.minor}:${mapped.inode}:${path}`;
  let stat = disk.get(key);
  if (stat === undefined) {
    stat = statQuietly(`${proc}/${pid}/root${path}`);
    disk.set(key, stat);
  }
  if (stat === null || stat.ino === Number(mapped.inode)) return false;
  return stat.dev === deviceNumber(Number.parseInt(mapped.major, 16), Number.parseInt(mapped.minor, 16));
};

/** glibc's gnu_dev_makedev: minor in bits 0–7 and 20–31, major in bits 8–19 (higher bits are not in use). */
const deviceNumber = (major: number, minor: number): number =>
  (minor & 0xff) + ((major & 0xfff) << 8) + (minor >>> 8) * 0x100000;

const statQuietly = (path: string): Stats | null => {
  try {
    return statSync(path);
  } catch {
    return null;
  }
};

const identityOf = (path: string): string | null => {
  const stat = statQuietly(path);
  return stat === null ? null : `${stat.dev}:${stat.ino}`;
};

/** Units that cannot be restarted without taking the host or its users down with them. */
const needsReboot = /^(?:dbus|dbus-broker|systemd-logind)\.service$/;

const restartOf = (
  { unit, pids, contained, executable }: Pick<StaleProgram, 'unit' | 'pids' | 'contained' | 'executable'>,
  init: InitSystem,
): string => {
  if (contained) return 'recreate the container from an image that has the update';
  if (pids.includes(1)) return executable.endsWith('/systemd') ? '`systemctl daemon-reexec`' : 'reboot';
  if (unit === null || init !== 'systemd')
    return `end it and start it again the way it was started (\`ps -o pid,ppid,lstart,args -p ${pids.join(',')}\`)`;
  if (needsReboot.test(unit)) return 'reboot; restarting it cuts off those who depend on it';
  if (unit.endsWith('.scope') || /^(?:user@|getty@|serial-getty@)/.test(unit)) return 'log out and in again';
  return `\`systemctl restart ${unit}\``;
};
