import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BenchError } from '../errors.ts';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** The numbers of /proc/PID/stat from field 3 (state) on: proc_pid_stat(5). */
const stat = (pid: number | 'self'): string[] => {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
};

/** CPU seconds (user and system) of a process: all its threads, also those that ended, and children it waited for. */
export const cpuSeconds = (pid: number): number => {
  const fields = stat(pid);
  // utime, stime, cutime, cstime: fields 14 to 17 of the file
  return [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0) / ticksPerSecond;
};

/**
 * CPU seconds of all children of this process that have ended. The growth over the end of one child is all that this
 * child ever used: the only exact way, as its own /proc entry is gone then.
 */
export const endedChildrenCpuSeconds = (): number => {
  const fields = stat('self');
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
};

/** Most memory that a process has had resident since it was started (VmHWM), in bytes. */
export const peakBytes = (pid: number): number => {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (match === null) throw new BenchError('failed', `/proc/${pid}/status has no VmHWM`);
  return Number(match[1]) * 1024;
};

/**
 * Sum of the sizes of all files below `dir`, each once however many names it has: the engine links its tables' directories,
 * and files from one part to the next. A file that goes away meanwhile counts nothing.
 */
export const bytesBelow = (dir: string): number => {
  const sizes = new Map<string, number>();
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const file = statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false });
    if (file !== undefined) sizes.set(`${file.dev} ${file.ino}`, file.size);
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
};
