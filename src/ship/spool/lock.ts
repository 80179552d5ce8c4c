import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { systemCode } from '#base/errors';
import { ShipError } from '../errors.ts';

/**
 * Holds `directory` for this process until `release` or the process's end, however it ends: two writers would give
 * one number to two lines. Node has no flock(2); SQLite's exclusive transaction on an empty file is an fcntl(2) lock
 * that the kernel drops with the process, and nothing is ever written to the file.
 *
 * @param patience milliseconds to wait for a holder that is about to end
 * @throws ShipError `spool-locked`
 */
export const lockSpool = async (directory: string, patience: number): Promise<{ release(): void }> => {
  const path = join(directory, 'lock');
  const until = performance.now() + patience;
  for (;;) {
    const database = new DatabaseSync(path);
    try {
      database.exec('PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE');
      return { release: () => database.close() };
    } catch (error) {
      database.close();
      if (systemCode(error) !== 'ERR_SQLITE_ERROR') throw error;
      if (performance.now() > until) {
        throw new ShipError('spool-locked', `another process holds the spool ${directory}; end it first`, {
          cause: error,
        });
      }
    }
    await wait(50);
  }
};
