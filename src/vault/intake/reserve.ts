import { randomFillSync } from 'node:crypto';
import { constants } from 'node:fs';
import { open, stat, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '#base/errors';
import { deliveryBytes, storedLength, type PendingDelivery } from './delivery-group.ts';
import type { IntakeDirectory } from './intake-file.ts';
import { isNoSpace, notDurable } from './write-error.ts';

/**
 * Room in `intake/` that is taken before it is needed, so that a full disk can be told of in the log itself:
 *
 *     reserve-room          given up when the disk is full: with it the keeper can commit the line, and what waits
 *     reserve-note-<1…4>    16 KiB each; such a line is written over one of them, which then becomes an intake file
 *
 * A note's blocks are its own already, so a line takes nothing that another process, or a quota, could refuse. (On a
 * file system that never writes in place it may need new blocks: then the room is given up first.) The contents are
 * random, or a file system that compresses would keep no room at all. Neither name is one of an intake file: the
 * keeper does not see them.
 */
export type Reserve = {
  /** Bytes of the room. */
  readonly bytes: number;
  /** Bytes that are not there. */
  missing(): Promise<number>;
  /** Makes what is missing. After `no-space` no more of the room is held than before. */
  fill(): Promise<'whole' | 'no-space'>;
  /** Gives up the room. The notes stay. */
  release(): Promise<void>;
  /**
   * Makes the delivery durable in place of a note. The last note is for a last word, however often there were alarms.
   * @returns `no-note`: there is none that could take it
   */
  say(delivery: PendingDelivery, what: 'alarm' | 'last word'): Promise<'said' | 'no-note'>;
};

const roomName = 'reserve-room';
const noteNames = [1, 2, 3, 4].map((number) => `reserve-note-${number}`);
/** Longest delivery that a note can take. */
export const noteBytes = 16 * 1024;
const chunk = 1024 * 1024;

/** @param bytes of the room */
export const openReserve = (dir: string, directory: IntakeDirectory, bytes: number): Reserve => {
  const sizeOf = (name: string): Promise<number> =>
    stat(join(dir, name)).then(
      ({ size }) => size,
      (error: unknown) => {
        if (systemCode(error) === 'ENOENT') return -1;
        throw error;
      },
    );

  const remove = async (name: string): Promise<void> => {
    await unlink(join(dir, name)).catch((error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error;
    });
    await directory.sync();
  };

  /** Makes a file of so many bytes that no file system can store in fewer. */
  const make = async (name: string, length: number): Promise<void> => {
    const path = join(dir, name);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
    const file = await open(path, flags, 0o640);
    try {
      await file.chmod(0o640);
      const bytesOf = Buffer.allocUnsafe(Math.min(length, chunk));
      for (let done = 0; done < length; done += bytesOf.length)
        await writeAll(file, randomFillSync(bytesOf).subarray(0, length - done), done);
      await sync(file, path);
    } finally {
      await file.close();
    }
    await directory.sync();
  };

  /** By name, in the order in which they are made. */
  const lengths = new Map([...noteNames.map((name) => [name, noteBytes] as const), [roomName, bytes]]);

  return {
    bytes,
    async missing() {
      let sum = 0;
      for (const [name, length] of lengths) if ((await sizeOf(name)) !== length) sum += length;
      return sum;
    },
    async fill() {
      for (const [name, length] of lengths) {
        if ((await sizeOf(name)) === length) continue;
        try {
          await make(name, length);
        } catch (error) {
          if (!isNoSpace(error)) throw error;
          await remove(name);
          return 'no-space';
        }
      }
      return 'whole';
    },
    release: () => remove(roomName),
    async say(delivery, what) {
      if (storedLength(delivery) > noteBytes) return 'no-note';
      for (const name of what === 'alarm' ? noteNames.slice(0, -1) : noteNames) {
        if ((await sizeOf(name)) !== noteBytes) continue;
        const path = join(dir, name);
        const file = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW);
        try {
          const line = deliveryBytes(delivery);
          await writeAll(file, line, 0);
          await file.truncate(line.length);
          await sync(file, path);
        } catch (error) {
          if (!isNoSpace(error)) throw error;
          continue;
        } finally {
          await file.close();
        }
        await directory.adopt(path);
        return 'said';
      }
      return 'no-note';
    },
  };
};

const writeAll = async (file: FileHandle, bytes: Buffer, position: number): Promise<void> => {
  for (let done = 0; done < bytes.length;)
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
};

const sync = (file: FileHandle, path: string): Promise<void> =>
  file.sync().catch((error: unknown) => {
    throw notDurable(path, error);
  });
