import { statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { IndexError } from '../errors.ts';

const everyMs = 1000;

/**
 * Tells when the directory that the engine has opened was deleted or replaced under it, looking once a second. The engine
 * then goes on with what it has open and in memory, refuses statements one by one, and cannot even empty its tables:
 * only a process that opens the directory anew can. The engine writes its file `status` once, when it opens.
 *
 * Where it cannot be looked at (EACCES, EIO), that is said once; it may be there, and is looked at again.
 * @param path the index's directory; the engine in it is open
 * @param now milliseconds
 * @returns `null` as long as it is not known to be gone
 */
export const watchDirectory = (
  path: string,
  log: OwnLog,
  now: () => number = () => performance.now(),
): (() => IndexError | null) => {
  const file = join(path, 'engine', 'status');
  let isSaid = false;
  /** @returns `undefined` where it could not be looked at, `null` where it is not there */
  const look = (): string | null | undefined => {
    try {
      const found = statSync(file, { throwIfNoEntry: false });
      isSaid = false;
      return found === undefined ? null : `${found.ino} ${found.birthtimeMs}`;
    } catch (error) {
      if (!isSaid)
        log('warning', `whether the index at ${path} is still there cannot be told: ${messageOf(error)}`);
      isSaid = true;
      return undefined;
    }
  };
  let opened = look();
  let looked = now();
  return () => {
    if (opened === null || now() - looked < everyMs) return null;
    looked = now();
    const found = look();
    if (opened === undefined) opened = found;
    return found === undefined || found === opened
      ? null
      : new IndexError(
          'engine-gone',
          `the index at ${path} was deleted while it was open: it has to be opened anew, and is made again from the vault`,
        );
  };
};
