import { stat } from 'node:fs/promises';
import { encodeRecordHead, type DecodedRecord } from '#vault/record';
import { countWithin, storedLength, type PendingDelivery } from './delivery-group.ts';
import { fileFor, freeBytes, roomFor, totalBytes } from './file-system.ts';
import { openGroupStore } from './group-store.ts';
import { openIntakeDirectory } from './intake-file.ts';
import { leaveMark } from './leave.ts';
import { openReserve, type Reserve } from './reserve.ts';
import { IntakeWriteError, isNoSpace, notDurable, unwritable } from './write-error.ts';
import type { IntakeSpace, IntakeWriterOptions } from './writer-options.ts';

export type { PendingDelivery } from './delivery-group.ts';

/**
 * The only writer of `intake/`. Group commit: whatever was queued while one write and fdatasync ran goes into the
 * next. Where that is much, it is written while the fdatasync still runs. A file that a write failed in, or that an
 * earlier process left, is never appended to.
 *
 * Order of system calls for each group: [openat O_EXCL, fchmod, fsync of the directory,] writev, its own fdatasync, and
 * only then the `durable` callbacks, those of the group before first. A failed fsync of any kind ends the writer. On
 * ENOSPC and EDQUOT in a write the deliveries that are whole in the file are made durable and acknowledged, the rest is
 * tried again each second in a new file.
 *
 * With a reserve: when the disk is full, its alarm is written into room that was kept for it, the room is given up for
 * the keeper, and nothing more is stored than would leave that room twice. There is space again once all of the
 * reserve is there again.
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
  /** `high` while much is queued, or there is no space: senders that can wait should. */
  readonly pressure: 'high' | 'low';
  readonly space: IntakeSpace;
  readonly stats: { commits: number; deliveries: number; bytes: number; files: number };
  /** Makes durable what is queued, then closes. @throws IntakeWriteError `intake-full` if that could not be done */
  close(): Promise<void>;
};

const leaveMs = 1000;
/** Between two attempts to make the reserve again that failed although there seemed to be space (a quota). */
const longestRetryMs = 10_000;

/** @throws IntakeWriteError `intake-unwritable` */
export const openIntakeWriter = async (options: IntakeWriterOptions): Promise<IntakeWriter> => {
  const { dir, clock, onPressure, onSpace, onFault } = options;
  const highWater = options.highWaterBytes ?? 32 * 1024 * 1024;
  const retryMs = options.retryMs ?? 1000;
  const groupBytes = options.groupBytes ?? 8 * 1024 * 1024;
  /** Less than this waits for the fdatasync before, and for what comes meanwhile. */
  const overlapBytes = groupBytes / 4;
  const lowWater = options.lowWaterBytes ?? 8 * 1024 * 1024;

  const stats = { commits: 0, deliveries: 0, bytes: 0 };
  let queue: PendingDelivery[] = [];
  let pendingBytes = 0;
  let pressure: 'high' | 'low' = 'low';
  let life: 'open' | 'closing' | 'over' = 'open';
  let fault: IntakeWriteError | null = null;
  let fullSince: number | null = null;
  let retry: NodeJS.Timeout | null = null;
  let retryAfter = retryMs;
  let begin: NodeJS.Immediate | null = null;
  let working: Promise<void> | null = null;
  /** It is time to look at the free space although nothing has failed. */
  let lookDue = false;
  /** The keeper has asked that nothing more is appended to the file. */
  let leaveDue = false;
  const waiting = new Set<(error: IntakeWriteError) => void>();

  const directory = await openIntakeDirectory(dir).catch((error: unknown) => {
    throw unwritable(dir, error);
  });
  const total = await totalBytes(dir).catch(async (error: unknown) => {
    await directory.close();
    throw unwritable(dir, error);
  });
  const store = openGroupStore(directory, options.maxFileBytes ?? fileFor(total));

  const fail = (error: IntakeWriteError): void => {
    if (fault !== null) return;
    fault = error;
    queue = [];
    if (look !== null) clearInterval(look);
    for (const reject of waiting) reject(error);
    waiting.clear();
    onFault(error);
  };

  const adjustPressure = (): void => {
    const isFull = fullSince !== null;
    if (pressure === 'low' && (isFull || pendingBytes >= highWater)) pressure = 'high';
    else if (pressure === 'high' && !isFull && pendingBytes <= lowWater) pressure = 'low';
    else return;
    onPressure?.(pressure);
  };

  const setFull = async (): Promise<void> => {
    if (fullSince !== null) return;
    fullSince = clock.elapsed();
    retryAfter = retryMs;
    adjustPressure();
    onSpace?.('full', 0);
    // Only a file that is not the newest can be taken to its end, and removed.
    await store.leave();
    if (reserve === null || options.reserve === undefined) return;
    const alarm = options.reserve.full();
    const said = await reserve.say(alarm, 'alarm');
    await reserve.release();
    if (said === 'no-note') await reserve.say(alarm, 'alarm');
  };

  const setAvailable = (): void => {
    if (fullSince === null) return;
    const since = fullSince;
    fullSince = null;
    onSpace?.('available', clock.elapsed() - since);
    adjustPressure();
  };

  /** What may be stored while the disk is full: the room that was given up is the keeper's, and is made again. */
  const spareBytes = async (): Promise<number> => (await freeBytes(dir)) - 2 * (reserve?.bytes ?? 0);

  /** At the start: a disk that is all but full is left to the keeper, which has more to do with it. */
  const isRoomThere = async (kept: Reserve): Promise<boolean> => {
    const missing = await kept.missing();
    if ((await freeBytes(dir)) < (missing > 0 ? missing + kept.bytes : 0)) return false;
    return (await kept.fill()) === 'whole';
  };

  const isReserveWhole = async (): Promise<boolean> => {
    if (reserve === null || (await reserve.fill()) === 'whole') return true;
    retryAfter = Math.min(retryAfter * 2, longestRetryMs);
    return false;
  };

  const takeGroup = (limit: number): PendingDelivery[] => {
    const count = countWithin(queue, limit);
    if (count < queue.length) return queue.splice(0, count);
    const all = queue;
    queue = [];
    return all;
  };

  const settle = (durable: readonly PendingDelivery[], bytes: number): void => {
    if (durable.length > 0) stats.commits += 1;
    stats.bytes += bytes;
    stats.deliveries += durable.length;
    for (const delivery of durable) {
      pendingBytes -= storedLength(delivery);
      delivery.durable?.();
    }
    adjustPressure();
  };

  const work = async (): Promise<void> => {
    if (lookDue && fullSince === null && (await freeBytes(dir)) < 0) await setFull();
    lookDue = false;
    if (leaveDue) await store.moveOn();
    leaveDue = false;
    /** Groups in a row of which nothing was stored although nothing failed. */
    let futile = 0;
    /** Of the group whose fdatasync runs; settled when that is over. */
    let syncing: { bytes: number; settled: Promise<void> } | null = null;
    for (;;) {
      if (syncing !== null && pendingBytes - syncing.bytes < overlapBytes) {
        await syncing.settled;
        syncing = null;
      }
      const first = queue[0];
      let limit = groupBytes;
      if (fullSince !== null) {
        const spare = await spareBytes();
        if (spare < (first === undefined ? 0 : storedLength(first))) return armRetry();
        limit = Math.min(limit, spare);
        if (first === undefined && (reserve === null || !(await isReserveWhole()))) return armRetry();
        if (first === undefined) setAvailable();
      }
      if (first === undefined) return;
      const group = takeGroup(limit);
      const before: Promise<void> | undefined = syncing?.settled;
      const { count, bytes, ended, durable } = await store.write(group).finally(() => before);
      const settled = durable.then(() => settle(group.slice(0, count), bytes));
      // Awaited below, or by the next turn: it may fail before that.
      settled.catch(() => undefined);
      syncing = { bytes, settled };
      if (count < group.length) queue = [...group.slice(count), ...queue];
      futile = count > 0 ? 0 : futile + 1;
      if (ended !== 'all' || fullSince !== null) {
        await settled;
        syncing = null;
      }
      if (ended === 'no-space' || futile > 1) {
        await setFull();
        return armRetry();
      }
      if (ended === 'all' && fullSince !== null && (await isReserveWhole())) setAvailable();
    }
  };

  const run = (): void => {
    working = work()
      .catch((error: unknown) => fail(error instanceof IntakeWriteError ? error : notDurable(dir, error)))
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
    }, retryAfter);
  };

  /** Goes on in another file where the keeper asks for it, also while nothing comes in. */
  const lookForMark = async (): Promise<void> => {
    const left = store.path;
    if (left === null || (await stat(leaveMark(left)).catch(() => null)) === null) return;
    leaveDue = left === store.path;
    kick();
  };

  /** Begins after the current turn of the event loop, so that everything it has read shares one commit. */
  const kick = (): void => {
    if (begin !== null || working !== null || retry !== null || fault !== null || life !== 'open') return;
    if (queue.length === 0 && !lookDue && !leaveDue && (fullSince === null || reserve === null)) return;
    begin = setImmediate(() => {
      begin = null;
      run();
    });
  };

  const grown = (bytes: number): void => {
    pendingBytes += bytes;
    adjustPressure();
  };

  const enqueue = (delivery: PendingDelivery): void => {
    if (fault !== null || life === 'over') return;
    queue.push(delivery);
    grown(storedLength(delivery));
    kick();
  };

  const closed = (): IntakeWriteError =>
    fault ?? new IntakeWriteError('intake-closed', `${dir}: closed, takes no more deliveries`);

  let reserve: Reserve | null = null;
  let look: NodeJS.Timeout | null = null;
  try {
    if (options.reserve !== undefined) {
      reserve = openReserve(dir, directory, options.reserve.bytes ?? roomFor(total));
      look = setInterval(() => {
        lookDue = true;
        kick();
      }, options.reserve.lookEveryMs ?? 5000);
    }
    try {
      await store.begin();
      if (reserve !== null && !(await isRoomThere(reserve))) await setFull();
    } catch (error) {
      if (!isNoSpace(error)) throw error;
      await setFull();
    }
  } catch (error) {
    if (look !== null) clearInterval(look);
    await store.leave().catch(() => undefined);
    await directory.close();
    throw error instanceof IntakeWriteError ? error : unwritable(dir, error);
  }
  kick();

  const asking = setInterval(() => void lookForMark(), leaveMs);
  asking.unref();

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
    get pressure() {
      return pressure;
    },
    get space() {
      return fullSince === null ? 'available' : 'full';
    },
    get stats() {
      return { ...stats, files: store.files };
    },
    async close() {
      if (life !== 'open') throw closed();
      life = 'closing';
      clearInterval(asking);
      if (look !== null) clearInterval(look);
      if (retry !== null) clearTimeout(retry);
      if (begin !== null) clearImmediate(begin);
      await working;
      if (queue.length > 0 && fault === null) {
        run();
        await working;
      }
      const lastWord = queue.length > 0 && fault === null ? options.reserve?.closed(queue) : null;
      life = 'over';
      try {
        if (lastWord && reserve !== null) await reserve.say(lastWord, 'last word');
      } catch (error) {
        fail(error instanceof IntakeWriteError ? error : notDurable(dir, error));
      }
      await store.leave();
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
