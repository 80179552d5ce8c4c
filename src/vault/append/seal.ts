import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { letGo } from '#base/let-go';
import { batchLeaves, sha256, treeRoot } from '#vault/tree';

/** A batch that is cut. */
export type Unsealed = {
  /** Its segment before compression. */
  plain: Buffer<ArrayBuffer>;
  /** Where each record begins in it, and where the last one ends. */
  offsets: Uint32Array<ArrayBuffer>;
  key: Buffer;
};

/** What makes it evidence. */
export type Sealed = {
  /** The inner root. */
  root: Buffer;
  /** The segment as it is stored: memory of its own. */
  stored: Buffer<ArrayBuffer>;
  /** Of `stored`. */
  sha256: Buffer;
};

const compress = promisify(zstdCompress);

/** With room for all that may come out, zstd compresses straight into it: a tenth less CPU than from piece to piece. */
const most = (bytes: number): number => bytes + (bytes >> 8) + 1024;

/** Hashes in this thread while another one compresses. */
export const seal = async ({ plain, offsets, key }: Unsealed): Promise<Sealed> => {
  const compressing = compress(plain, {
    chunkSize: most(plain.length),
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
  });
  const root = treeRoot(batchLeaves(plain, offsets, key));
  const chunk = await compressing;
  // It waits for the commit, and is smaller by far than the room that there was.
  const stored = Buffer.allocUnsafeSlow(chunk.length);
  chunk.copy(stored);
  letGo(chunk);
  return { root, stored, sha256: sha256(stored) };
};
