import { createCipheriv } from 'node:crypto';
import { lanes } from './sha256/lanes.ts';
import { plain } from './sha256/plain.ts';

/** Bytes of a leaf's salt. */
export const saltSize = 16;

/**
 * The salts of a batch: salt i is bytes 16·i … 16·i+15 of the AES-256-CTR keystream of the batch key, counter from
 * zero. A proof shows one salt and so gives its reader nothing by which to guess the neighbours of a line.
 */
export const batchSalts = (key: Buffer, lineCount: number): Buffer =>
  createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(lineCount * saltSize));

/**
 * Leaf hashes of lines, `SHA-256(0x00 ‖ salt_i ‖ record_i)`, 32 bytes each.
 * @param records records back to back
 * @param offsets where each begins, and where the last one ends
 * @param salts 16 bytes each
 */
export const saltedLeaves = (records: Buffer, offsets: Uint32Array, salts: Buffer): Buffer =>
  (lanes() ?? plain).leaves(records, offsets, salts);

/** Leaf hashes of a batch: `saltedLeaves` with the salts of its key. */
export const batchLeaves = (records: Buffer, offsets: Uint32Array, key: Buffer): Buffer =>
  saltedLeaves(records, offsets, batchSalts(key, offsets.length - 1));
