import { randomBytes } from 'node:crypto';
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** `<12 digits>-<8 hex>.intake`: a counter that gives the order, and a tag so that no name is ever used twice. */
const namePattern = /^(\d{12})-[0-9a-f]{8}\.intake$/;

/** A file that this process created and that it alone appends to. */
export type IntakeFile = {
  path: string;
  handle: FileHandle;
  /** Bytes that are durable. */
  size: number;
};

export type IntakeDirectory = {
  /** Creates the next file (mode 0640) and makes its directory entry durable. */
  create(): Promise<IntakeFile>;
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
  return {
    async create() {
      const name = `${String(counter + 1).padStart(12, '0')}-${randomBytes(4).toString('hex')}.intake`;
      const path = join(dir, name);
      const handle = await open(path, 'wx', 0o640);
      counter += 1;
      try {
        // The keeper may run as another user of the same group: the mode must not depend on the umask.
        await handle.chmod(0o640);
        await directory.sync();
      } catch (error) {
        await handle.close();
        throw error;
      }
      return { path, handle, size: 0 };
    },
    close: () => directory.close(),
  };
};
