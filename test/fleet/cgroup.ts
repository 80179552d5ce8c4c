import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { alive } from '../harness/up.ts';

/** A control group for one host: without one, two that are started side by side would take themselves for one. */
export type ControlGroup = {
  /** Files that a process writes its number into to join. */
  join: readonly string[];
  remove(): Promise<void>;
};

/** The hierarchies that systemd keeps processes in: the unified one, and its own where the machine still has it. */
const hierarchies = (): string[] => {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [before = '', after = ''] = line.split(' - ');
      const point = before.split(' ')[4] ?? '';
      const [type, , options = ''] = after.split(' ');
      if (type === 'cgroup2') return [{ name: '', point }];
      return type === 'cgroup' && options.split(',').includes('name=systemd')
        ? [{ name: 'name=systemd', point }]
        : [];
    });
  return readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, name, ...path] = line.split(':');
      const mount = mounts.find((one) => one.name === name);
      return mount === undefined ? [] : [join(mount.point, path.join(':'))];
    });
};

const namePrefix = 'holdfast-fleet-';

export const makeControlGroup = (name: string): ControlGroup => {
  const parents = hierarchies();
  for (const parent of parents) removeAbandoned(parent);
  const directories = parents.map((parent) => join(parent, `${namePrefix}${process.pid}-${name}`));
  for (const directory of directories) mkdirSync(directory);
  return {
    join: directories.map((directory) => join(directory, 'cgroup.procs')),
    async remove() {
      // The kernel lets go of a dead process a little later.
      for (let waited = 0; !directories.every(isGone); waited += 50) {
        if (waited > 60_000) throw new Error(`a process is left over in ${directories.join(', ')}`);
        await sleep(50);
      }
    },
  };
};

/** Removes it with all below. @returns whether nothing was in the way */
const isGone = (directory: string): boolean => {
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true }))
      if (entry.isDirectory() && !isGone(join(directory, entry.name))) return false;
    rmdirSync(directory);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
};

/** Those of a run that was killed: its hosts ended with it, but nobody took their groups away. */
const removeAbandoned = (parent: string): void => {
  for (const name of readdirSync(parent)) {
    const pid = new RegExp(`^${namePrefix}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !alive(Number(pid))) isGone(join(parent, name));
  }
};
