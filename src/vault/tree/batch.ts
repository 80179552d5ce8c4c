import { createCipheriv, hash } from 'node:crypto';
import { hashSize } from './hash.ts';

/** Bytes of a leaf's salt. */
export const saltSize = 16;

/**
 * The salts of a batch: salt i is bytes 16·i … 16·i+15 of the AES-256-CTR keystream of the batch key, counter from
 * zero. A proof shows one salt and so gives its reader nothing by which to guess the neighbours of a line.
 */
export const batchSalts = (key: Buffer, lineCount: number): Buffer =>
  createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(lineCount * saltSize));

const prefixSize = 1 + saltSize;
let scratch: Buffer = Buffer.allocUnsafeSlow(5 * 1024 * 1024);

/**
 * Leaf hashes of a batch, `SHA-256(0x00 ‖ salt_i ‖ record_i)`, 32 bytes each.
 * @param records records back to back
 * @param offsets where each begins, and where the last one ends
 */
export const batchLeaves = (records: Buffer, offsets: Uint32Array, key: Buffer): Buffer => {
  const count = offsets.length - 1;
  const salts = batchSalts(key, count);
  const leaves = Buffer.allocUnsafe(count * hashSize);
  if (scratch.length < prefixSize + records.length)
    scratch = Buffer.allocUnsafeSlow(prefixSize + records.length);
  // Each record's prefix is written over the tail of the record before it, which has been hashed by then: so every
  // leaf is one contiguous piece and nothing is copied line by line.
  const work = scratch;
  records.copy(work, prefixSize);
  for (let i = 0; i < count; i++) {
    const start = offsets[i] ?? 0;
    const end = offsets[i + 1] ?? 0;
    work[start] = 0x00;
    for (let k = 0; k < saltSize; k++) work[start + 1 + k] = salts[i * saltSize + k] ?? 0;
    // A latin1 string is the cheapest way out of OpenSSL for 32 bytes: half the time of a fresh Buffer.
    leaves.write(hash('sha256', work.subarray(start, end + prefixSize), 'latin1'), i * hashSize, 'latin1');
  }
  return leaves;
};
