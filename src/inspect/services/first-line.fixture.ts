import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** The first line that a program prints. @throws Error where it ends without one: nobody would wait for it in vain */
export const firstLine = async (
  child: ChildProcessByStdio<Writable | null, Readable, Readable | null>,
): Promise<string> => {
  const [line] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    once(child, 'close').then(([status]) => {
      throw new Error(`${child.spawnfile} ended with ${status} and printed nothing`);
    }),
  ]);
  return String(line);
};
