import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
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

/** A segment mostly fits in one of these: each one more is another way to a thread and back. */
const chunkSize = 1024 * 1024;

/** Hashes in this thread while another one compresses. */
export const seal = async ({ plain, offsets, key }: Unsealed): Promise<Sealed> => {
  const compressing = compress(plain, { chunkSize, params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  const root = treeRoot(batchLeaves(plain, offsets, key));
  const chunk = await compressing;
  // The chunk is larger than what is in it, and it waits for the commit.
  const stored = Buffer.allocUnsafeSlow(chunk.length);
  chunk.copy(stored);
  return { root, stored, sha256: sha256(stored) };
};
