import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Micros } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { IndexError } from '../errors.ts';
import type { Sender } from '../senders.ts';
import { isMostlyPlain, type BatchRecords } from './batch-records.ts';

/** What goes to the thread; the memory of a batch goes with it. */
export type ProjectRequest =
  | { kind: 'begin' }
  | {
      kind: 'batch';
      entry: number;
      committed: Micros;
      records: Uint8Array<ArrayBuffer>;
      offsets: Uint32Array;
    }
  | { kind: 'finish' };

/** What comes back, to each `batch` and `finish` one. */
export type ProjectAnswer = { kind: 'projected' } | ({ kind: 'finished' } & ProjectedBlock);

export type ProjectedBlock = {
  rows: number;
  /** Newest receive time among all lines. */
  received: Micros;
  /** In the Native format; valid until the thread begins again. Empty where there is no row. */
  bytes: Uint8Array[];
  senders: Sender[];
  /** Lines that may tell of others that are missing. */
  ledger: number;
};

/** Projects lines that hang on nothing that came before into a block of its own, in a thread. */
export type BlockThread = {
  /** Forgets what it has: another block begins. */
  begin(): void;
  /**
   * Takes a batch, whose memory must not be used any more; resolves when the thread has not much left to do. A failure
   * is told by `finish`.
   */
  take(entry: number, batch: BatchRecords): Promise<void>;
  /** @throws IndexError `thread-ended` */
  finish(): Promise<ProjectedBlock>;
};

/**
 * A thread that projects one group of entries while the thread of searches, inserts and the vault projects the next. It is
 * started with the first batch that is worth it, and ends when there has been none for a while.
 */
export type Projecting = {
  /**
   * For the lines of a batch that hang on nothing that came before, if they are many; the caller projects the others.
   * `null`: the caller projects all.
   */
  threadFor(batch: BatchRecords): BlockThread | null;
  close(): Promise<void>;
};

/** A smaller one is projected by the time it would have been handed over. */
const largeBatch = 256 * 1024;
/** So many batches are in the thread at most, which are a group's mostly: each holds some 5 MiB. */
const mostWaiting = 4;
/** Nearly all that is made of a line is forgotten at once. */
const youngMB = 12;
const idleMs = 30_000;

export const noProjecting: Projecting = { threadFor: () => null, close: () => Promise.resolve() };

/** @param file the thread's module, for tests */
export const openProjecting = (
  log: OwnLog,
  file: URL = new URL('./project-worker.ts', import.meta.url),
): Projecting => {
  if (availableParallelism() < 2) return noProjecting;
  let thread: Thread | null = null;
  let hasFailed = false;

  const start = (): Thread =>
    startThread(file, (failure) => {
      thread = null;
      if (failure === null) return;
      hasFailed = true;
      log('warning', `lines are read in one thread from now on, as another has failed: ${failure.message}`);
    });

  return {
    threadFor(batch) {
      if (hasFailed || batch.records.length < largeBatch || !isMostlyPlain(batch)) return null;
      return (thread ??= start());
    },
    close: async () => thread?.end(),
  };
};

type Thread = BlockThread & { end(): Promise<void> };

/** @param onEnd it is of no use any more, `null`: because it was idle or is not wanted */
const startThread = (file: URL, onEnd: (failure: IndexError | null) => void): Thread => {
  const worker = new Worker(file, {
    name: 'projecting',
    resourceLimits: { maxYoungGenerationSizeMb: youngMB },
  });
  let waiting = 0;
  let hasRoom: (() => void) | null = null;
  let finishing: { resolve: (block: ProjectedBlock) => void; reject: (error: IndexError) => void } | null =
    null;
  let failure: IndexError | null = null;
  let isOver = false;
  let isIdle = true;

  const over = (error: IndexError | null): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(idle);
    failure = error ?? new IndexError('thread-ended', 'the thread that reads lines was ended');
    hasRoom?.();
    finishing?.reject(failure);
    onEnd(error);
  };

  const end = async (): Promise<void> => {
    over(null);
    await worker.terminate();
  };
  const idle = setTimeout(() => (isIdle ? void end() : idle.refresh()), idleMs).unref();

  const failed = (why: string, cause?: unknown): void =>
    over(new IndexError('thread-ended', `the thread that reads lines ${why}`, { cause }));
  worker.on('error', (error) => failed(`failed: ${messageOf(error)}`, error));
  worker.on('exit', (status) => failed(`ended with status ${status}`));
  worker.on('message', (answer: ProjectAnswer) => {
    if (answer.kind === 'projected') {
      waiting -= 1;
      if (waiting < mostWaiting) hasRoom?.();
      return;
    }
    isIdle = true;
    idle.refresh();
    worker.unref();
    finishing?.resolve(answer);
    finishing = null;
  });

  const post = (request: ProjectRequest, memory: ArrayBuffer[] = []): void => {
    if (failure === null) worker.postMessage(request, memory);
  };

  return {
    begin() {
      isIdle = false;
      // It keeps the process alive only as long as somebody waits for it.
      worker.ref();
      post({ kind: 'begin' });
    },
    async take(entry, { committed, records, offsets }) {
      const memory = ownMemory(records);
      waiting += 1;
      post({ kind: 'batch', entry, committed, records: memory, offsets }, [memory.buffer]);
      if (waiting < mostWaiting || failure !== null) return;
      await new Promise<void>((resolve) => (hasRoom = resolve));
      hasRoom = null;
    },
    finish() {
      if (failure !== null) return Promise.reject(failure);
      const { promise, resolve, reject } = Promise.withResolvers<ProjectedBlock>();
      finishing = { resolve, reject };
      post({ kind: 'finish' });
      return promise;
    },
    end,
  };
};

/** Memory that can be handed over. */
const ownMemory = (bytes: Buffer): Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    : new Uint8Array(bytes);
