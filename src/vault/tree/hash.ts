import { hash } from 'node:crypto';
import { lanes } from './sha256/lanes.ts';
import { plain } from './sha256/plain.ts';

/** Bytes of a SHA-256 hash. */
export const hashSize = 32;

export const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer');

/** Root of the tree without leaves: SHA-256 of nothing (RFC 6962 §2.1). Never served as a tile. */
export const emptyRoot: Buffer = sha256(Buffer.alloc(0));

const leafPrefix = Buffer.from([0x00]);

/** `SHA-256(0x00 ‖ entry)`, RFC 6962 §2.1. */
export const leafHash = (entry: Uint8Array): Buffer => sha256(Buffer.concat([leafPrefix, entry]));

/** `SHA-256(0x01 ‖ left ‖ right)`, RFC 6962 §2.1. @throws RangeError if either is not 32 bytes */
export const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => {
  if (left.length !== hashSize || right.length !== hashSize)
    throw new RangeError('a node has two children of 32 bytes');
  const input = Buffer.allocUnsafe(1 + 2 * hashSize);
  input[0] = 0x01;
  input.set(left, 1);
  input.set(right, 1 + hashSize);
  return sha256(input);
};

/** The `index`-th hash of a row of hashes (a tile, the leaves of a batch), as a view. */
export const hashAt = (hashes: Buffer, index: number): Buffer =>
  hashes.subarray(index * hashSize, (index + 1) * hashSize);

/**
 * Merkle tree hash of a row of leaf (or subtree) hashes: RFC 6962 §2.1 with the leaves already hashed. Computed row by
 * row; an odd last node moves up as it is, which gives the same tree as the RFC's split at a power of two.
 * @param hashes 32·n bytes
 */
export const treeRoot = (hashes: Buffer): Buffer => {
  if (hashes.length % hashSize !== 0) throw new RangeError('hashes are 32 bytes each');
  return hashes.length === 0 ? emptyRoot : (lanes() ?? plain).root(hashes);
};

/**
 * The roots of the largest complete subtrees of a row of hashes, from left (largest) to right (smallest): for 7
 * leaves those of 4, 2 and 1.
 */
export const peaks = (hashes: Buffer): Buffer[] => {
  const found: Buffer[] = [];
  let at = 0;
  let left = hashes.length / hashSize;
  while (left > 0) {
    const span = 2 ** Math.floor(Math.log2(left));
    found.push(treeRoot(hashes.subarray(at * hashSize, (at + span) * hashSize)));
    at += span;
    left -= span;
  }
  return found;
};

/** Root of a tree from its peaks, left to right. */
export const foldPeaks = (row: readonly Buffer[]): Buffer =>
  row.length === 0 ? emptyRoot : row.reduceRight((right, left) => nodeHash(left, right));
