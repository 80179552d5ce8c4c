import { lstat, readFile } from 'node:fs/promises';
import { systemCode } from '#base/errors';

/**
 * Whether a process has the keeper's lock, without a descriptor of the file: it belongs to another user, and whoever
 * asks may be root.
 *
 * Only the inode is compared: proc_locks(5) names the device of the file system, which stat(2) does on btrfs and
 * overlayfs not. Where another file of that number is locked, the request is withdrawn when nobody has taken it.
 * @param path of the lock file
 * @returns `unknown` where the kernel does not say
 * @throws system errors
 */
export const heldLock = async (path: string): Promise<'held' | 'free' | 'unknown'> => {
  let inode: bigint;
  try {
    ({ ino: inode } = await lstat(path, { bigint: true }));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'free';
    throw error;
  }
  try {
    return isLocked(await readFile('/proc/locks', 'latin1'), inode) ? 'held' : 'free';
  } catch {
    return 'unknown';
  }
};

/**
 * Lines `1: POSIX  ADVISORY  WRITE 4242 fe:00:2149831 1073741824 1073742335`: number, kind, whether it binds, access,
 * process, device and inode, first and last byte. One that waits for another has `->` after the number.
 */
export const isLocked = (locks: string, inode: bigint): boolean =>
  locks.split('\n').some((line) => {
    const [, kind, , access, , file = ''] = line.trim().split(/\s+/);
    return (
      (kind === 'POSIX' || kind === 'OFDLCK') && access === 'WRITE' && file.split(':')[2] === String(inode)
    );
  });
