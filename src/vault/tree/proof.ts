import { emptyRoot, hashSize, nodeHash, treeRoot } from './hash.ts';

// Indices and sizes reach beyond 32 bits, where JavaScript's >> and & would truncate: hence the arithmetic.
const isOdd = (n: number): boolean => n % 2 === 1;
const half = (n: number): number => Math.floor(n / 2);
const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
const areHashes = (hashes: readonly Uint8Array[]): boolean =>
  hashes.every((hash) => hash.length === hashSize);

export type InclusionProof = {
  index: number;
  size: number;
  leaf: Buffer;
  path: readonly Buffer[];
  root: Buffer;
};

/** Whether `leaf` (a leaf hash) is at `index` of the tree of `size` leaves with `root`. RFC 9162 §2.1.3.2. */
export const verifyInclusion = ({ index, size, leaf, path, root }: InclusionProof): boolean => {
  if (!isCount(index) || !isCount(size) || index >= size || !areHashes([leaf, root, ...path])) return false;
  let at = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of path) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      hash = nodeHash(sibling, hash);
      while (!isOdd(at) && at !== 0) {
        at = half(at);
        last = half(last);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    at = half(at);
    last = half(last);
  }
  return last === 0 && hash.equals(root);
};

export type ConsistencyProof = {
  size1: number;
  size2: number;
  root1: Buffer;
  root2: Buffer;
  path: readonly Buffer[];
};

/** Whether the tree of `size2` leaves begins with the tree of `size1` leaves. RFC 9162 §2.1.4.2. */
export const verifyConsistency = ({ size1, size2, root1, root2, path }: ConsistencyProof): boolean => {
  if (!isCount(size1) || !isCount(size2) || size1 > size2 || !areHashes([root1, root2, ...path]))
    return false;
  if (size1 === size2) return path.length === 0 && root1.equals(root2);
  if (size1 === 0) return path.length === 0 && root1.equals(emptyRoot);
  let at = size1 - 1;
  let last = size2 - 1;
  while (isOdd(at)) {
    at = half(at);
    last = half(last);
  }
  // A complete first tree is a node of the second, so its root is not repeated in the proof.
  const [first, ...rest] = at === 0 ? [root1, ...path] : path;
  if (first === undefined || (at === 0 && path.length === 0)) return false;
  let hash1 = first;
  let hash2 = first;
  for (const sibling of rest) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      hash1 = nodeHash(sibling, hash1);
      hash2 = nodeHash(sibling, hash2);
      while (!isOdd(at) && at !== 0) {
        at = half(at);
        last = half(last);
      }
    } else {
      hash2 = nodeHash(hash2, sibling);
    }
    at = half(at);
    last = half(last);
  }
  return last === 0 && hash1.equals(root1) && hash2.equals(root2);
};

/** The path that proves `index` in the tree over a row of leaf hashes. RFC 9162 §2.1.3.1. */
export const inclusionPath = (hashes: Buffer, index: number): Buffer[] => {
  const size = hashes.length / hashSize;
  if (index < 0 || index >= size) throw new RangeError(`no leaf ${index} among ${size}`);
  if (size === 1) return [];
  const split = 2 ** Math.floor(Math.log2(size - 1));
  const left = hashes.subarray(0, split * hashSize);
  const right = hashes.subarray(split * hashSize);
  return index < split
    ? [...inclusionPath(left, index), treeRoot(right)]
    : [...inclusionPath(right, index - split), treeRoot(left)];
};

/** The path that proves that the tree over a row of leaf hashes begins with its first `size1`. RFC 9162 §2.1.4.1. */
export const consistencyPath = (hashes: Buffer, size1: number): Buffer[] => {
  const size2 = hashes.length / hashSize;
  if (size1 < 0 || size1 > size2) throw new RangeError(`no tree of ${size1} within ${size2}`);
  if (size1 === 0) return [];
  return subProof(hashes, size1, 'whole');
};

const subProof = (hashes: Buffer, first: number, known: 'whole' | 'part'): Buffer[] => {
  const size = hashes.length / hashSize;
  if (first === size) return known === 'whole' ? [] : [treeRoot(hashes)];
  const split = 2 ** Math.floor(Math.log2(size - 1));
  const left = hashes.subarray(0, split * hashSize);
  const right = hashes.subarray(split * hashSize);
  return first <= split
    ? [...subProof(left, first, known), treeRoot(right)]
    : [...subProof(right, first - split, 'part'), treeRoot(left)];
};
