import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import { textOf } from '../host.ts';

/** Process ids in procfs, ascending. */
export const processIds = (proc: string): number[] =>
  readdirSync(proc)
    .filter((name) => name.charCodeAt(0) <= 0x39)
    .map(Number)
    .filter(Number.isInteger)
    .sort((a, b) => a - b);

/** Target of a link of /proc, or `null` if it is gone or may not be read. */
export const linkOf = (path: string): string | null => {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
};

export type Executable = { path: string; deleted: boolean };

/** `/proc/<pid>/exe`: the path in the process's own root; the kernel appends ` (deleted)` once it is unlinked. */
export const executableOf = (proc: string, pid: number): Executable | null =>
  executableOfLink(linkOf(`${proc}/${pid}/exe`));

/** The same, of what the link says. */
export const executableOfLink = (target: string | null): Executable | null => {
  if (target === null) return null;
  return target.endsWith(' (deleted)')
    ? { path: target.slice(0, -' (deleted)'.length), deleted: true }
    : { path: target, deleted: false };
};

/** The command line, argument by argument; `[]` for kernel threads and where it may not be read. */
export const argumentsOf = (proc: string, pid: number): string[] => {
  try {
    const text = readFileSync(`${proc}/${pid}/cmdline`, 'utf8');
    return text === '' ? [] : text.replace(/\0$/, '').split('\0');
  } catch {
    return [];
  }
};

/** One `Name:\tvalue` of /proc/<pid>/status. */
export const statusField = (status: string, name: string): string | null =>
  new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? null;

/** Effective user id of a process, or `null` if the process is gone. */
export const userIdOf = (proc: string, pid: number): number | null => {
  const fields = statusField(textOf(`${proc}/${pid}/status`) ?? '', 'Uid')?.split('\t');
  return fields?.[1] === undefined ? null : Number(fields[1]);
};

const kernelThread = 0x00200000; // PF_KTHREAD, include/linux/sched.h

/** Kernel threads have no descriptors, so being unable to read theirs hides nothing. */
export const isKernelThread = (proc: string, pid: number): boolean => {
  const stat = textOf(`${proc}/${pid}/stat`);
  if (stat === null) return false;
  const flags = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[6];
  return (Number(flags) & kernelThread) !== 0;
};

const interpreters = /^(?:python|perl|ruby|node|nodejs|java|php|bash|dash|sh|zsh|lua|tclsh|guile)[\d.]*$/;

/** These run other programs too, but their command lines do not tell which in a way that is the same everywhere. */
const others =
  /^(?:pypy|deno|bun|mono|dotnet|beam\.smp|luajit|gawk|mawk|busybox|toybox|qemu-[a-z0-9_-]+)[\d.]*$/;

/** Whether the executable is there to run other people's programs, so that its package says nothing of this one. */
export const isInterpreter = (executable: string): boolean => {
  const name = executable.slice(executable.lastIndexOf('/') + 1);
  return interpreters.test(name) || others.test(name);
};

/**
 * What an interpreter runs: a script's path, `-m module`, or a jar. `null` for other executables, for inline code, and
 * where there is none. Other arguments are left alone, because secrets are passed in them.
 */
export const scriptOf = (executable: string, argv: readonly string[]): string | null => {
  if (!interpreters.test(executable.slice(executable.lastIndexOf('/') + 1))) return null;
  for (const [i, argument] of argv.entries()) {
    const next = argv[i + 1];
    if (i === 0) continue;
    if (/^-(?:c|e|r|-eval|-print|p)$/.test(argument)) return null;
    if (argument === '-m' && next !== undefined) return `-m ${next}`;
    if (argument === '-jar' && next !== undefined) return next;
    if (!argument.startsWith('-')) return argument;
  }
  return null;
};

/** A name that systemctl takes for nothing but a unit. */
const unitName = /^[A-Za-z0-9:_.@\\][\w:.@\\-]*\.(?:service|scope|socket|mount|swap)$/;

/**
 * The unit of this host's systemd in the text of /proc/<pid>/cgroup (cgroups(7)), preferring the unified hierarchy:
 * `0::/system.slice/ssh.service` gives `ssh.service`. Only slices are above a unit; what is below one, its own manager
 * names as it likes. `null` for units of a user's systemd, of a container's, and where there is none.
 */
export const unitOf = (cgroup: string): string | null => {
  for (const pattern of [/^0::\/(.*)$/m, /^\d+:name=systemd:\/(.*)$/m]) {
    const parts = (pattern.exec(cgroup)?.[1] ?? '').split('/');
    const at = parts.findIndex((part) => !part.endsWith('.slice'));
    const unit = parts[at] ?? '';
    if (/^user@\d+\.service$/.test(unit) || parts[at + 1] === 'payload') return null;
    if (unitName.test(unit)) return unit;
  }
  return null;
};

/** When the machine started, in seconds since 1970: `btime` of the text of /proc/stat. */
export const bootTime = (stat: string): number | null => {
  const seconds = /^btime (\d+)$/m.exec(stat)?.[1];
  return seconds === undefined ? null : Number(seconds);
};

const ticksPerSecond = 100; // USER_HZ, the same on every architecture that Linux has today

/** When a process started, RFC 3339. @param ticks of /proc/<pid>/stat (proc(5), field 22): since the machine started */
export const startOf = (ticks: number, booted: number): string =>
  formatMicros(micros((booted + ticks / ticksPerSecond) * 1e6));

/** User names by id from the text of passwd(5). The first entry of an id wins, as with getpwuid(3). */
export const userNames = (passwd: string): Map<number, string> => {
  const names = new Map<number, string>();
  for (const line of passwd.split('\n')) {
    const [name, , uid] = line.split(':');
    if (name === undefined || uid === undefined || uid === '' || names.has(Number(uid))) continue;
    names.set(Number(uid), name);
  }
  return names;
};
