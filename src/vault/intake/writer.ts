import { statfs } from 'node:fs/promises';
import { encodeRecordHead, type DecodedRecord } from '#vault/record';
import { countWithin, sealGroup, storedLength, type PendingDelivery } from './delivery-group.ts';
import { openIntakeDirectory, type IntakeFile } from './intake-file.ts';
import { IntakeWriteError, isNoSpace, notDurable, unwritable } from './write-error.ts';
import type { IntakeSpace, IntakeWriterOptions } from './writer-options.ts';

export type { PendingDelivery } from './delivery-group.ts';

/**
 * The only writer of `intake/`. Group commit: whatever was queued while one write and fdatasync ran goes into the
 * next. A file that a write failed in, or that an earlier process left, is never appended to.
 *
 * Order of system calls for each group: [openat O_EXCL, fchmod, fsync of the directory,] writev, fdatasync, and only
 * then the `durable` callbacks. On ENOSPC and EDQUOT the deliveries that are whole in the file are made durable and
 * acknowledged, the rest is tried again each second in a new file.
 */
export type IntakeWriter = {
  /** Resolves when the delivery is durable. @throws IntakeWriteError */
  append(head: Omit<DecodedRecord, 'raw'>, body: Buffer | readonly Buffer[]): Promise<void>;
  /** Queues without waiting: the hot path. After a fault it takes nothing and never calls `durable`. */
  enqueue(delivery: PendingDelivery): void;
  /** Adds to a delivery that waits in the queue; the caller has seen that it is not sealed. */
  extend(delivery: PendingDelivery, body: readonly Buffer[], length: number): void;
  /** Bytes queued and not yet durable. */
  readonly pendingBytes: number;
  readonly space: IntakeSpace;
  readonly stats: { commits: number; deliveries: number; bytes: number; files: number };
  /** Makes durable what is queued, then closes. @throws IntakeWriteError `intake-full` if that could not be done */
  close(): Promise<void>;
};

const groupBytes = 16 * 1024 * 1024;
const retryMs = 1000;
/** Kept free of a nearly full file system for what it writes itself (extents, directory blocks). */
const slackBytes = 64 * 1024;

/** @throws IntakeWriteError `intake-unwritable` */
export const openIntakeWriter = async (options: IntakeWriterOptions): Promise<IntakeWriter> => {
  const { dir, clock, onPressure, onSpace, onFault } = options;
  const maxFileBytes = options.maxFileBytes ?? 64 * 1024 * 1024;
  const highWater = options.highWaterBytes ?? 32 * 1024 * 1024;
  const lowWater = options.lowWaterBytes ?? 8 * 1024 * 1024;

  const stats = { commits: 0, deliveries: 0, bytes: 0, files: 0 };
  let queue: PendingDelivery[] = [];
  let pendingBytes = 0;
  let pressure: 'high' | 'low' = 'low';
  let life: 'open' | 'closing' | 'over' = 'open';
  let fault: IntakeWriteError | null = null;
  let fullSince: number | null = null;
  let retry: NodeJS.Timeout | null = null;
  let begin: NodeJS.Immediate | null = null;
  let working: Promise<void> | null = null;
  const waiting = new Set<(error: IntakeWriteError) => void>();

  const directory = await openIntakeDirectory(dir).catch((error: unknown) => {
    throw unwritable(dir, error);
  });
  let file: IntakeFile | null = null;

  const fail = (error: IntakeWriteError): void => {
    if (fault !== null) return;
    fault = error;
    queue = [];
    for (const reject of waiting) reject(error);
    waiting.clear();
    onFault(error);
  };

  const setFull = (): void => {
    if (fullSince !== null) return;
    fullSince = clock.elapsed();
    onSpace?.('full', 0);
  };

  const setAvailable = (): void => {
    if (fullSince === null) return;
    const since = fullSince;
    fullSince = null;
    onSpace?.('available', clock.elapsed() - since);
  };

  const createFile = async (): Promise<IntakeFile> => {
    const created = await directory.create();
    stats.files += 1;
    return created;
  };

  /** Closes the file; what is in it stays as it is. */
  const leaveFile = async (): Promise<void> => {
    const old = file;
    file = null;
    await old?.handle.close();
  };

  /** Bytes that can be written now, as far as the file system says. A quota it does not tell of. */
  const freeBytes = async (): Promise<number> => {
    const { bsize, bfree, bavail } = await statfs(dir);
    return (process.geteuid?.() === 0 ? bfree : bavail) * bsize - slackBytes;
  };

  const takeGroup = (limit: number): PendingDelivery[] => {
    const count = countWithin(queue, limit);
    if (count < queue.length) return queue.splice(0, count);
    const all = queue;
    queue = [];
    return all;
  };

  /** @returns how many deliveries, from the first on, are durable; fewer than all means there is no space. */
  const store = async (group: readonly PendingDelivery[]): Promise<number> => {
    const bytes = group.reduce((sum, delivery) => sum + storedLength(delivery), 0);
    if (file !== null && file.size > 0 && file.size + bytes > maxFileBytes) await leaveFile();
    const vector = sealGroup(group);
    let current: IntakeFile;
    try {
      current = file ??= await createFile();
      const { bytesWritten } = await current.handle.writev(vector);
      if (bytesWritten !== bytes) return await salvage(current, group);
    } catch (error) {
      if (!isNoSpace(error)) throw error;
      return file === null ? 0 : await salvage(file, group);
    }
    await current.handle.datasync();
    current.size += bytes;
    stats.commits += 1;
    stats.bytes += bytes;
    return group.length;
  };

  /**
   * After a failed or short write: what is whole in the file is made durable and counts, so that it is not written a
   * second time elsewhere. What is not whole is cut off: it would pass for a loss, and takes space.
   */
  const salvage = async (torn: IntakeFile, group: readonly PendingDelivery[]): Promise<number> => {
    const { size } = await torn.handle.stat();
    let end = torn.size;
    let whole = 0;
    for (const delivery of group) {
      if (end + storedLength(delivery) > size) break;
      end += storedLength(delivery);
      whole += 1;
    }
    await torn.handle.truncate(end);
    await torn.handle.datasync();
    await leaveFile();
    if (whole > 0) stats.commits += 1;
    stats.bytes += end - torn.size;
    return whole;
  };

  const settle = (durable: readonly PendingDelivery[]): void => {
    stats.deliveries += durable.length;
    for (const delivery of durable) {
      pendingBytes -= storedLength(delivery);
      delivery.durable?.();
    }
    if (pressure === 'high' && pendingBytes <= lowWater) {
      pressure = 'low';
      onPressure?.('low');
    }
  };

  const work = async (): Promise<void> => {
    for (;;) {
      const first = queue[0];
      if (first === undefined) return;
      const limit = fullSince === null ? groupBytes : Math.min(groupBytes, await freeBytes());
      if (fullSince !== null && limit < storedLength(first)) return armRetry();
      const group = takeGroup(limit);
      const stored = await store(group);
      settle(group.slice(0, stored));
      if (stored < group.length) {
        queue = [...group.slice(stored), ...queue];
        setFull();
        return armRetry();
      }
      setAvailable();
    }
  };

  const run = (): void => {
    working = work()
      .catch((error: unknown) => fail(notDurable(dir, error)))
      .finally(() => {
        working = null;
        kick();
      });
  };

  const armRetry = (): void => {
    if (life !== 'open') return;
    retry = setTimeout(() => {
      retry = null;
      kick();
    }, retryMs);
  };

  /** Begins after the current turn of the event loop, so that everything it has read shares one commit. */
  const kick = (): void => {
    if (begin !== null || working !== null || retry !== null || fault !== null) return;
    if (queue.length === 0 || life !== 'open') return;
    begin = setImmediate(() => {
      begin = null;
      run();
    });
  };

  const grown = (bytes: number): void => {
    pendingBytes += bytes;
    if (pressure === 'low' && pendingBytes >= highWater) {
      pressure = 'high';
      onPressure?.('high');
    }
  };

  const enqueue = (delivery: PendingDelivery): void => {
    if (fault !== null || life === 'over') return;
    queue.push(delivery);
    grown(storedLength(delivery));
    kick();
  };

  const closed = (): IntakeWriteError =>
    fault ?? new IntakeWriteError('intake-closed', `${dir}: closed, takes no more deliveries`);

  try {
    file = await createFile();
  } catch (error) {
    if (!isNoSpace(error)) {
      await directory.close();
      throw unwritable(dir, error);
    }
    setFull();
  }

  return {
    append: (head, body) =>
      new Promise((resolve, reject) => {
        if (fault !== null || life === 'over') return reject(closed());
        const pieces = Buffer.isBuffer(body) ? [body] : [...body];
        waiting.add(reject);
        enqueue({
          head: encodeRecordHead(head),
          received: head.received,
          sequence: head.sequence,
          flags: head.flags,
          body: pieces,
          bodyLength: pieces.reduce((sum, piece) => sum + piece.length, 0),
          durable() {
            waiting.delete(reject);
            resolve();
          },
          sealed: false,
        });
      }),
    enqueue,
    extend(delivery, body, length) {
      delivery.body.push(...body);
      delivery.bodyLength += length;
      grown(length);
    },
    get pendingBytes() {
      return pendingBytes;
    },
    get space() {
      return fullSince === null ? 'available' : 'full';
    },
    stats,
    async close() {
      if (life !== 'open') throw closed();
      life = 'closing';
      if (retry !== null) clearTimeout(retry);
      if (begin !== null) clearImmediate(begin);
      await working;
      if (queue.length > 0 && fault === null) {
        run();
        await working;
      }
      life = 'over';
      await leaveFile();
      await directory.close();
      if (fault !== null) throw fault;
      if (queue.length === 0) return;
      fault = new IntakeWriteError(
        'intake-full',
        `${dir}: no space for ${queue.length} deliveries (${pendingBytes} bytes); none of them was acknowledged. ` +
          'Free space on this file system; senders that wait for an acknowledgement will send them again',
      );
      for (const reject of waiting) reject(fault);
      throw fault;
    },
  };
};
