import { Worker } from 'node:worker_threads';
import { messageOf } from '#base/errors';
import { VaultError } from '../errors.ts';
import { seal, type Sealed, type Unsealed } from './seal.ts';

/** What goes to the thread; the memory of `plain` goes with it. */
export type SealRequest = {
  id: number;
  plain: Uint8Array<ArrayBuffer>;
  offsets: Uint32Array<ArrayBuffer>;
  key: Uint8Array;
};

/** What comes back. */
export type SealAnswer =
  | {
      id: number;
      root: Uint8Array;
      stored: Uint8Array<ArrayBuffer>;
      sha256: Uint8Array;
      memory: ArrayBuffer;
    }
  | { id: number; error: unknown };

/** Seals batches: large ones in a thread of its own, which is started with the first of them. */
export type Sealing = {
  /** `plain` must not be used any more. @throws VaultError `failed` if the thread ended */
  seal(batch: Unsealed): Promise<Sealed>;
  /** Memory of a batch that is sealed, if there is any. */
  spare(): ArrayBuffer | undefined;
  /** Ends the thread. What is not sealed by then never is. */
  close(): Promise<void>;
};

/** A smaller batch takes less than a millisecond here: a host with little to say needs no thread. */
const largeBatch = 256 * 1024;
/** More are let go: as many as can be on the way, and the one that is filled. */
const maxSpares = 4;

type Waiting = { resolve: (sealed: Sealed) => void; reject: (error: unknown) => void };

export const openSealing = (): Sealing => {
  const spares: ArrayBuffer[] = [];
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let ended: VaultError | null = null;
  let last = 0;

  const giveBack = (memory: ArrayBuffer): void => {
    if (spares.length < maxSpares) spares.push(memory);
  };

  const end = (why: string, cause?: unknown): void => {
    ended ??= new VaultError(
      'failed',
      `cannot seal a batch: the thread that hashes and compresses ${why}. Nothing is lost: the lines are in intake, ` +
        'and are taken after the next start',
      { cause },
    );
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };

  const answered = (answer: SealAnswer): void => {
    const one = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (waiting.size === 0) worker?.unref();
    if ('error' in answer) return one?.reject(answer.error);
    giveBack(answer.memory);
    const { root, stored, sha256 } = answer;
    return one?.resolve({ root: Buffer.from(root), stored: bufferOf(stored), sha256: Buffer.from(sha256) });
  };

  const start = (): Worker => {
    const begun = new Worker(new URL('./seal-worker.ts', import.meta.url), { name: 'sealing' });
    begun.on('message', answered);
    begun.on('error', (error) => end(`failed: ${messageOf(error)}`, error));
    begun.on('exit', () => end('has ended'));
    return begun;
  };

  const sealThere = ({ plain, offsets, key }: Unsealed): Promise<Sealed> => {
    if (ended !== null) return Promise.reject(ended);
    worker ??= start();
    // It keeps the process alive only as long as somebody waits for it.
    worker.ref();
    last += 1;
    const { promise, resolve, reject } = Promise.withResolvers<Sealed>();
    waiting.set(last, { resolve, reject });
    const request: SealRequest = { id: last, plain, offsets, key };
    worker.postMessage(request, [plain.buffer, offsets.buffer]);
    return promise;
  };

  return {
    spare: () => spares.pop(),
    async seal(batch) {
      if (batch.plain.length >= largeBatch) return sealThere(batch);
      const sealed = await seal(batch);
      giveBack(batch.plain.buffer);
      return sealed;
    },
    async close() {
      await worker?.terminate();
    },
  };
};

const bufferOf = (bytes: Uint8Array<ArrayBuffer>): Buffer<ArrayBuffer> =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
