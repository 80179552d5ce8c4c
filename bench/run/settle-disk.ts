import { spawnSync } from 'node:child_process';
import { openSync, closeSync, readSync } from 'node:fs';

/** Writes back what earlier runs left in the page cache, so that a run does not wait for another's writes. */
export const settleDisk = (dir: string): void => {
  spawnSync('sync', ['--file-system', dir]);
};

/** Brings a file into the page cache, so that no run reads it from the disk. */
export const warm = (path: string): void => {
  const file = openSync(path, 'r');
  const buffer = Buffer.allocUnsafe(1 << 20);
  while (readSync(file, buffer) > 0);
  closeSync(file);
};
