import { textOf, type HostPaths } from '../host.ts';
import { shownArguments } from './arguments.ts';
import { isAtBoot, unitsAtBoot } from './boot-units.ts';
import { containerFinder } from './containers.ts';
import { newMemory, recallProcess, startTicks, type Memory } from './memory.ts';
import type { PackageFinder } from './packages.ts';
import {
  argumentsOf,
  bootTime,
  executableOfLink,
  isInterpreter,
  linkOf,
  scriptOf,
  startOf,
  unitOf,
  userIdOf,
  userNames,
} from './processes.ts';
import type { HolderProcess } from './report.ts';

/** A process as it is reported, with the command line that only this room uses: secrets are passed in it. */
export type DescribedProcess = {
  shown: HolderProcess;
  argv: string[];
  /** Where its files are seen from here: `''`, or through /proc/<pid>/root. */
  root: string;
};

/** Processes by pid. One that ended since it was found is left out. */
export const describeProcesses = (
  paths: HostPaths,
  pids: readonly number[],
  packages: PackageFinder,
  memory: Memory = newMemory(),
): Map<number, DescribedProcess> => {
  const { proc, root } = paths;
  const atBoot = unitsAtBoot(root);
  const booted = bootTime(textOf(`${proc}/stat`) ?? '');
  const containerOf = containerFinder(paths);
  const mounts = linkOf(`${proc}/self/ns/mnt`);
  const names = userNames(textOf(`${root}/etc/passwd`) ?? '');
  const keys = new Map(
    pids.map((pid) => [pid, [startTicks(memory, proc, pid), linkOf(`${proc}/${pid}/exe`)] as const]),
  );
  const recalled = new Map(
    pids.flatMap((pid): [number, DescribedProcess][] => {
      const [start = null, exe = null] = keys.get(pid) ?? [];
      const known = recallProcess(memory, pid, start, exe);
      return known === null ? [] : [[pid, known]];
    }),
  );
  const unknown = pids.filter((pid) => !recalled.has(pid));
  if (unknown.length === 0) return recalled;
  const found = unknown.flatMap((pid): DescribedProcess[] => {
    const uid = userIdOf(proc, pid);
    if (uid === null) return [];
    const [start = null, exe = null] = keys.get(pid) ?? [];
    const executable = executableOfLink(exe);
    const argv = argumentsOf(proc, pid);
    const cgroup = textOf(`${proc}/${pid}/cgroup`) ?? '';
    const unit = unitOf(cgroup);
    const interpreter = executable !== null && isInterpreter(executable.path);
    const shown: HolderProcess = {
      pid,
      exe: executable?.path ?? null,
      deleted: executable?.deleted ?? false,
      script: executable === null ? null : scriptOf(executable.path, argv),
      user: names.get(uid) ?? String(uid),
      uid,
      unit,
      package: null,
      version: null,
      packageRequired: false,
      interpreter,
      args: shownArguments(argv, interpreter),
      enabled:
        unit === null || atBoot === null || !/\.(?:service|socket)$/.test(unit)
          ? null
          : isAtBoot(atBoot, unit),
      startedAt: booted === null || start === null ? null : startOf(Number(start), booted),
      container: containerOf(pid, cgroup),
    };
    return [{ shown, argv, root: rootOf(proc, root, pid, mounts) }];
  });

  const files = found.flatMap(({ shown: { pid, exe }, root: of }) =>
    exe === null ? [] : [{ pid, root: of, path: exe }],
  );
  const owners = packages.find(files);
  const byPid = new Map(
    files.map(({ pid, root: of }, i) => {
      const name = owners[i] ?? null;
      if (name === null) return [pid, {}];
      const { version, required } = packages.describe(of, name);
      return [pid, { package: name, version, packageRequired: required }];
    }),
  );
  for (const one of found) {
    const { pid } = one.shown;
    const described = { ...one, shown: { ...one.shown, ...byPid.get(pid) } };
    recalled.set(pid, described);
    const [start = null, exe = null] = keys.get(pid) ?? [];
    if (start !== null) memory.processes.set(pid, { start, exe, at: performance.now(), described });
  }
  for (const pid of memory.processes.keys()) if (!recalled.has(pid)) memory.processes.delete(pid);
  return recalled;
};

/**
 * Where the files of a process are seen from here: the host's own root, or through /proc/<pid>/root. The kernel writes
 * paths as the reader sees them, so that a process which has only changed its root (chroot) needs nothing else.
 */
const rootOf = (proc: string, root: string, pid: number, mounts: string | null): string =>
  linkOf(`${proc}/${pid}/ns/mnt`) === mounts ? root : `${proc}/${pid}/root`;
