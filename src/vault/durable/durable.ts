import { constants } from 'node:fs';
import { link, mkdir, open, rename, rmdir, stat, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf, systemCode } from '#base/errors';
import { VaultError } from '../errors.ts';

/**
 * The one place that makes bytes durable. Each call returns only when what it did would survive a loss of power, and
 * each does its system calls in exactly the order written here.
 *
 * `write`, a whole new file in place of none or of an old one:
 *  1. open the directory (made durable first where it is missing: mkdir, fsync of its parent)
 *  2. open a temporary file in the scratch directory of the same file system, write, fsync, close
 *  3. rename it over the path
 *  4. fsync the directory opened in 1
 *
 * `create`, a whole new file where there must be none: as `write`, but 3 is a link to the path, which fails where
 * there is a file already, and an unlink of the temporary name.
 *
 * `extend`, bytes at an offset of a growing file: open the directory, open the file, write at the offset, truncate
 * after it, fsync the file, fsync the directory. Repeating it changes nothing.
 *
 * `remove`: open the directory, unlink, fsync the directory. What is already gone is no error.
 */
export type Durable = {
  write(path: string, bytes: Buffer, mode?: number): Promise<void>;
  /** @throws VaultError `other-writer` where the path exists: what is there is left as it is */
  create(path: string, bytes: Buffer): Promise<void>;
  extend(path: string, offset: number, bytes: Buffer): Promise<void>;
  remove(paths: readonly string[]): Promise<void>;
  /** Moves within one file system; the target's directory must exist. */
  move(from: string, to: string): Promise<void>;
  makeDirectory(path: string): Promise<void>;
};

/**
 * What all that one process makes durable has in common: once an fsync has failed, nothing more is made durable, and
 * nothing is signed. What the kernel reported once it does not report again.
 */
export type Fate = {
  /** @throws VaultError `failed` after an fsync has failed */
  check(): void;
  fail(): void;
};

export const newFate = (): Fate => {
  let hasFailed = false;
  return {
    check() {
      if (!hasFailed) return;
      throw new VaultError(
        'failed',
        'an fsync failed before: this process writes nothing more. Start it again',
      );
    },
    fail() {
      hasFailed = true;
    },
  };
};

/** May hold log lines: for the owner, and for the readers' group by the directory's setgid bit. */
const fileMode = 0o640;
const directoryMode = 0o750;

/**
 * @param scratch directory for unfinished files
 * @param step called before and after every system call that changes something; tests throw from it
 * @param fate shared by all that must stop when an fsync of one of them fails
 */
export const openDurable = ({
  scratch,
  step = () => undefined,
  fate = newFate(),
}: {
  scratch: string;
  step?: (what: string) => void;
  fate?: Fate;
}): Durable => {
  const known = new Set<string>();

  const doing = async <T>(what: string, act: () => Promise<T>): Promise<T> => {
    step(`before ${what}`);
    let result: T;
    try {
      result = await act();
    } catch (error) {
      throw describe(what, error);
    }
    step(`after ${what}`);
    return result;
  };

  /** The bytes may or may not be on disk, and the page cache may lie: nobody may go on after this. */
  const sync = async (handle: FileHandle, path: string): Promise<void> => {
    step(`before fsync ${path}`);
    try {
      await handle.sync();
    } catch (error) {
      fate.fail();
      const message = `fsync of ${path} failed: ${messageOf(error)}. Check the disk; the process ends and starts from what is durable`;
      throw new VaultError('fsync-failed', message, { cause: error });
    }
    step(`after fsync ${path}`);
  };

  const makeDirectory = async (path: string): Promise<void> => {
    if (known.has(path)) return;
    const found = await stat(path).catch(() => null);
    if (found === null) {
      const parent = dirname(path);
      await makeDirectory(parent);
      await inDirectory(parent, () =>
        doing(`mkdir ${path}`, () => mkdir(path, { mode: directoryMode }).catch(unless('EEXIST'))),
      );
    }
    known.add(path);
  };

  /** Holds the directory open across `act`, so that the one that is synced is the one that was changed. */
  const inDirectory = async (path: string, act: () => Promise<unknown>): Promise<void> => {
    fate.check();
    const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY).catch((error: unknown) => {
      throw describe(`open ${path}`, error);
    });
    try {
      await act();
      await sync(directory, path);
    } finally {
      await directory.close();
    }
  };

  /** The whole of a new file, durable under a temporary name in the scratch directory, and then in its place. */
  const place = async (
    path: string,
    bytes: Buffer,
    mode: number,
    putInPlace: (temporary: string) => Promise<void>,
  ): Promise<void> => {
    await makeDirectory(dirname(path));
    await inDirectory(dirname(path), async () => {
      const temporary = join(scratch, `tmp-${process.pid}-${basename(dirname(path))}-${basename(path)}`);
      step(`before create ${temporary}`);
      const file = await opening(temporary, 'w', mode);
      try {
        step(`after create ${temporary}`);
        // The mode that was asked for, not what the umask leaves of it.
        await doing(`chmod ${temporary}`, () => file.chmod(mode));
        await doing(`write ${temporary}`, () => file.writeFile(bytes));
        await sync(file, temporary);
      } catch (error) {
        if (error instanceof VaultError && error.code === 'no-space') await unlink(temporary);
        throw error;
      } finally {
        await file.close();
      }
      fate.check();
      await putInPlace(temporary);
    });
  };

  return {
    makeDirectory,
    write: (path, bytes, mode = fileMode) =>
      place(path, bytes, mode, (temporary) => doing(`rename ${path}`, () => rename(temporary, path))),
    create: (path, bytes) =>
      place(path, bytes, fileMode, async (temporary) => {
        await doing(`link ${path}`, () => link(temporary, path)).catch(throwIfExists(path));
        await doing(`unlink ${temporary}`, () => unlink(temporary));
      }),
    async extend(path, offset, bytes) {
      await makeDirectory(dirname(path));
      await inDirectory(dirname(path), async () => {
        step(`before open ${path}`);
        const file = await opening(path, constants.O_WRONLY | constants.O_CREAT, fileMode);
        try {
          step(`after open ${path}`);
          await doing(`extend ${path}`, async () => {
            for (let done = 0; done < bytes.length;) {
              done += (await file.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
            }
            await file.truncate(offset + bytes.length);
          });
          await sync(file, path);
        } finally {
          await file.close();
        }
      });
    },
    async remove(paths) {
      for (const directory of new Set(paths.map(dirname))) {
        await inDirectory(directory, async () => {
          for (const path of paths.filter((other) => dirname(other) === directory)) {
            await doing(`unlink ${path}`, () => removeOne(path).catch(unless('ENOENT')));
          }
        }).catch(unless('ENOENT'));
      }
    },
    async move(from, to) {
      await inDirectory(dirname(from), () =>
        inDirectory(dirname(to), () => doing(`rename ${to}`, () => rename(from, to))),
      );
    },
  };
};

const opening = (path: string, flags: string | number, mode: number): Promise<FileHandle> =>
  open(path, flags, mode).catch((error: unknown) => {
    throw describe(`open ${path}`, error);
  });

const throwIfExists =
  (path: string) =>
  (error: unknown): never => {
    if (systemCode(error) !== 'EEXIST') throw error;
    throw new VaultError(
      'other-writer',
      `${path} exists already: another keeper wrote to this vault. End one of them`,
      { cause: error },
    );
  };

/** Files, and directories that are empty. */
const removeOne = (path: string): Promise<void> =>
  unlink(path).catch((error: unknown) => {
    if (systemCode(error) === 'EISDIR' || systemCode(error) === 'EPERM') return rmdir(path);
    throw error;
  });

const unless =
  (code: string) =>
  (error: unknown): void => {
    if (systemCode(error) !== code && systemCode(error instanceof Error ? error.cause : null) !== code)
      throw error;
  };

const describe = (what: string, error: unknown): unknown => {
  if (error instanceof VaultError) return error;
  const code = systemCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new VaultError('no-space', `${what}: the file system is full`, {
      cause: error,
    });
  }
  return error;
};
