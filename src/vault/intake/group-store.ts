import { sealGroup, storedLength, type PendingDelivery } from './delivery-group.ts';
import type { IntakeDirectory, IntakeFile } from './intake-file.ts';
import { isNoSpace, notDurable } from './write-error.ts';

/**
 * How writing a group went: how many of its deliveries, from the first on, are whole in the file, and why not all of
 * them. Where it is not all, `durable` has come true already.
 */
export type Written = {
  count: number;
  bytes: number;
  ended: 'all' | 'no-space' | 'short';
  /** After fdatasync. @throws IntakeWriteError `intake-not-durable` */
  durable: Promise<void>;
};

/**
 * Puts groups of deliveries into the newest file. One may be written while the fdatasync of the one before runs; a file
 * is left, cut or followed by another only after its fdatasync.
 */
export type GroupStore = {
  /** Files begun. */
  readonly files: number;
  /** Begins the first file, so that it is known early whether there can be one. @throws system errors */
  begin(): Promise<void>;
  /**
   * The caller waits for the group before to be durable before it writes yet another.
   * @throws IntakeWriteError `intake-not-durable`, and system errors but for a lack of space
   */
  write(group: readonly PendingDelivery[]): Promise<Written>;
  /** Closes the file; what is in it stays as it is, and the next group begins another. */
  leave(): Promise<void>;
  /** Begins another file at once, or with the next group where there is no space for it. @throws system errors */
  moveOn(): Promise<void>;
  /** Of the file, `null` while there is none. */
  readonly path: string | null;
};

export const openGroupStore = (directory: IntakeDirectory, maxFileBytes: number): GroupStore => {
  let file: IntakeFile | null = null;
  let files = 0;
  let durable = Promise.resolve();

  const create = async (): Promise<IntakeFile> => {
    const created = await directory.create();
    files += 1;
    return created;
  };

  const leave = async (): Promise<void> => {
    const old = file;
    file = null;
    await durable.catch(() => undefined);
    await old?.handle.close();
  };

  const sync = (current: IntakeFile): Promise<void> => {
    durable = current.handle.datasync().catch((error: unknown) => {
      throw notDurable(current.path, error);
    });
    // Whoever waits for it is told; it may fail before anybody does.
    durable.catch(() => undefined);
    return durable;
  };

  /**
   * After a failed or short write: what is whole in the file is made durable and counts, so that it is not written a
   * second time elsewhere. What is not whole is cut off: it would pass for a loss, and takes space.
   */
  const salvage = async (
    torn: IntakeFile,
    group: readonly PendingDelivery[],
    ended: 'no-space' | 'short',
  ): Promise<Written> => {
    await durable;
    const { size } = await torn.handle.stat();
    let end = torn.size;
    let count = 0;
    for (const delivery of group) {
      if (end + storedLength(delivery) > size) break;
      end += storedLength(delivery);
      count += 1;
    }
    // A lack of space here is no state to go on from: what is in the file is not known any more.
    await torn.handle.truncate(end).catch((error: unknown) => {
      throw notDurable(torn.path, error);
    });
    await sync(torn);
    const bytes = end - torn.size;
    await leave();
    return { count, bytes, ended, durable };
  };

  return {
    get files() {
      return files;
    },
    async begin() {
      file = await create();
    },
    async write(group) {
      // Before anything is awaited: a delivery grows until it is sealed.
      const vector = sealGroup(group);
      const bytes = vector.reduce((sum, piece) => sum + piece.length, 0);
      if (file !== null && file.size > 0 && file.size + bytes > maxFileBytes) await leave();
      let current: IntakeFile;
      try {
        current = file ??= await create();
      } catch (error) {
        if (!isNoSpace(error)) throw error;
        return { count: 0, bytes: 0, ended: 'no-space', durable };
      }
      try {
        const { bytesWritten } = await current.handle.writev(vector);
        if (bytesWritten !== bytes) return await salvage(current, group, 'short');
      } catch (error) {
        if (!isNoSpace(error)) throw error;
        return await salvage(current, group, 'no-space');
      }
      await durable;
      current.size += bytes;
      return { count: group.length, bytes, ended: 'all', durable: sync(current) };
    },
    leave,
    async moveOn() {
      await leave();
      try {
        file = await create();
      } catch (error) {
        if (!isNoSpace(error)) throw error;
      }
    },
    get path() {
      return file?.path ?? null;
    },
  };
};
