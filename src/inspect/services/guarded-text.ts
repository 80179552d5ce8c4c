import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/**
 * A file of a root that may belong to somebody hostile: no symlink, no FIFO to hang on, no endless file. `null` where
 * it is none of these or not there. Synchronous: for hundreds of small cached files that is three times as fast as the
 * thread pool.
 */
export const guardedText = (path: string): string | null => {
  try {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(descriptor);
      return stat.isFile() && stat.size < 64 << 20 ? readFileSync(descriptor, 'latin1') : null;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return null;
  }
};
