import { closeSync, openSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { systemCode } from './errors.ts';

export type FileLock = { release(): void };

/** A handle that nobody refers to any more would be collected, and the lock with it. */
const held = new Set<DatabaseSync>();

const retryMs = 50;
/** SQLITE_BUSY, in the low byte of an extended code. */
const sqliteBusy = 5;

/**
 * Takes a lock that only one holder can have, in this process or any other, until `release` or the end of the process,
 * however it ends. Node has no flock(2): an exclusive SQLite transaction on an empty file is an fcntl(2) lock, which
 * the kernel drops with the process. Nothing is ever written to the file, and it stays when the lock is gone.
 *
 * Two things the kernel's lock asks for: this process must not open the file in any other way (closing it would drop
 * the lock), and nobody who is not meant to hold it may open it at all (hence mode 0600).
 *
 * @param path of a file of its own in a directory that exists; made if it is missing
 * @param patienceMs how long to wait for a holder that is about to end
 * @returns `null` if another still holds it then
 * @throws system errors; ERR_SQLITE_ERROR for a file that is not empty or that cannot be locked
 */
export const lockFile = async (path: string, patienceMs = 0): Promise<FileLock | null> => {
  makeFile(path);
  const until = performance.now() + patienceMs;
  for (;;) {
    const lock = tryLock(path);
    if (lock !== null || performance.now() >= until) return lock;
    await wait(retryMs);
  }
};

const tryLock = (path: string): FileLock | null => {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (isBusy(error)) return null;
    throw error;
  }
  held.add(database);
  return {
    release() {
      if (held.delete(database)) database.close();
    },
  };
};

const isBusy = (error: unknown): boolean =>
  error instanceof Error &&
  'errcode' in error &&
  typeof error.errcode === 'number' &&
  (error.errcode & 0xff) === sqliteBusy;

/** Only where it is missing: opening one that this process has locked would let go of it. */
const makeFile = (path: string): void => {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
};
