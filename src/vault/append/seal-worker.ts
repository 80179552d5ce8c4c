import { parentPort } from 'node:worker_threads';
import { seal } from './seal.ts';
import type { SealAnswer, SealRequest } from './sealing.ts';

const bufferOf = (bytes: Uint8Array<ArrayBuffer>): Buffer<ArrayBuffer> =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/** The thread of sealing.ts: batches come in, sealed ones go out, the memory of both going to and fro uncopied. */
parentPort?.on('message', ({ id, plain, offsets, key }: SealRequest) => {
  const answer = (said: SealAnswer, memory: ArrayBuffer[]): void => parentPort?.postMessage(said, memory);
  const memory = plain.buffer;
  seal({ plain: bufferOf(plain), offsets, key: Buffer.from(key) }).then(
    ({ root, stored, sha256 }) => answer({ id, root, stored, sha256, memory }, [memory, stored.buffer]),
    (error: unknown) => answer({ id, error }, []),
  );
});
