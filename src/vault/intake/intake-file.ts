import { randomBytes } from 'node:crypto';
import { open, readdir, rename, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { isNoSpace, notDurable } from './write-error.ts';

/** `<12 digits>-<8 hex>.intake`: a counter that gives the order, and a tag so that no name is ever used twice. */
const namePattern = /^(\d{12})-[0-9a-f]{8}\.intake$/;

/** A file that this process created and that it alone appends to. */
export type IntakeFile = {
  path: string;
  handle: FileHandle;
  /** Bytes of the groups that were written whole. */
  size: number;
};

export type IntakeDirectory = {
  /** Creates the next file (mode 0640) and makes its directory entry durable. */
  create(): Promise<IntakeFile>;
  /** Makes a file that is whole and durable the next intake file. @param path in the same directory */
  adopt(path: string): Promise<void>;
  /** Makes what was created, renamed and removed here durable. @throws IntakeWriteError `intake-not-durable` */
  sync(): Promise<void>;
  close(): Promise<void>;
};

/**
 * The counter goes on from the highest file that is there, or from 1.
 * @throws system errors, as `node:fs` gives them
 */
export const openIntakeDirectory = async (dir: string): Promise<IntakeDirectory> => {
  const directory = await open(dir, 'r');
  let counter = 0;
  for (const name of await readdir(dir)) {
    const match = namePattern.exec(name);
    if (match !== null) counter = Math.max(counter, Number(match[1]));
  }

  /** Taken before anything is tried: a file may be there although making it failed, and none may be as new as it. */
  const nextPath = (): string => {
    counter += 1;
    return join(dir, `${String(counter).padStart(12, '0')}-${randomBytes(4).toString('hex')}.intake`);
  };

  // A failed fsync is a fault whatever its reason, ENOSPC too: the kernel may have dropped what it could not write.
  const sync = (): Promise<void> =>
    directory.sync().catch((error: unknown) => {
      throw notDurable(dir, error);
    });

  return {
    sync,
    async create() {
      const path = nextPath();
      const handle = await open(path, 'wx', 0o640);
      try {
        // The keeper may run as another user of the same group: the mode must not depend on the umask.
        await handle.chmod(0o640);
        await sync();
      } catch (error) {
        await handle.close();
        // It is tried again each second; none of the attempts may leave a file behind.
        if (isNoSpace(error)) await unlink(path);
        throw error;
      }
      return { path, handle, size: 0 };
    },
    async adopt(path) {
      await rename(path, nextPath());
      await sync();
    },
    close: () => directory.close(),
  };
};
