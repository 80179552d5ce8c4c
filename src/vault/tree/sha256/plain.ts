import { hash } from 'node:crypto';

/** SHA-256 of many messages. */
export type Hashing = {
  /** As `saltedLeaves` in ../batch.ts. */
  leaves(records: Buffer, offsets: Uint32Array, salts: Buffer): Buffer;
  /** As `treeRoot` in ../hash.ts, of at least one hash. */
  root(hashes: Buffer): Buffer;
};

const leaves = (records: Buffer, offsets: Uint32Array, salts: Buffer): Buffer => {
  const count = offsets.length - 1;
  const found = Buffer.allocUnsafe(count * 32);
  for (let i = 0; i < count; i++) {
    const salt = salts.subarray(i * 16, (i + 1) * 16);
    plainLeaf(salt, records.subarray(offsets[i], offsets[i + 1])).copy(found, i * 32);
  }
  return found;
};

const leafPrefix = Buffer.from([0x00]);

/** `SHA-256(0x00 ‖ salt ‖ record)` */
export const plainLeaf = (salt: Buffer, record: Buffer): Buffer =>
  hash('sha256', Buffer.concat([leafPrefix, salt, record]), 'buffer');

const root = (hashes: Buffer): Buffer => {
  let count = hashes.length / 32;
  const row = Buffer.from(hashes);
  const pair = Buffer.allocUnsafe(65);
  pair[0] = 0x01;
  while (count > 1) {
    const parents = count >>> 1;
    for (let i = 0; i < parents; i++) {
      row.copy(pair, 1, i * 64, i * 64 + 64);
      // A latin1 string is the cheapest way out of OpenSSL for 32 bytes: half the time of a fresh Buffer.
      row.write(hash('sha256', pair, 'latin1'), i * 32, 'latin1');
    }
    if (count % 2 === 1) row.copy(row, parents * 32, (count - 1) * 32, count * 32);
    count = parents + (count % 2);
  }
  return Buffer.from(row.subarray(0, 32));
};

/**
 * One call of OpenSSL for each: what is simple is the standard that lanes.ts is held against, and what is used where
 * WebAssembly has no SIMD.
 */
export const plain: Hashing = { leaves, root };
