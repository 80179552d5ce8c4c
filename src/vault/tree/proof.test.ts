import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { emptyRoot, leafHash, nodeHash, treeRoot } from './hash.ts';
import { consistencyPath, inclusionPath, verifyConsistency, verifyInclusion } from './proof.ts';
import { compactRange } from './range.ts';

const vectors = join(import.meta.dirname, '../../../test/vectors/merkle');

type Vector = {
  leafIdx: number;
  treeSize: number;
  leafHash: string;
  root: string;
  size1: number;
  size2: number;
  root1: string;
  root2: string;
  proof: string[] | null;
  desc: string;
  wantErr: boolean;
};

const load = (kind: 'inclusion' | 'consistency'): { name: string; vector: Vector }[] =>
  readdirSync(join(vectors, kind), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const vector: Vector = JSON.parse(readFileSync(path, 'utf8'));
      return { name: path.slice(vectors.length + 1), vector };
    });

const bytes = (text: string): Buffer => Buffer.from(text, 'base64');

describe('RFC 6962 vectors', () => {
  for (const { name, vector } of load('inclusion')) {
    it(`${name}: ${vector.wantErr ? 'refused' : 'accepted'}`, () => {
      const { leafIdx, treeSize, leafHash: leaf, root, proof } = vector;
      const found = verifyInclusion({
        index: leafIdx,
        size: treeSize,
        leaf: bytes(leaf),
        path: (proof ?? []).map(bytes),
        root: bytes(root),
      });
      assert.equal(found, !vector.wantErr);
    });
  }
  for (const { name, vector } of load('consistency')) {
    it(`${name}: ${vector.wantErr ? 'refused' : 'accepted'}`, () => {
      const { size1, size2, root1, root2, proof } = vector;
      const found = verifyConsistency({
        size1,
        size2,
        root1: bytes(root1),
        root2: bytes(root2),
        path: (proof ?? []).map(bytes),
      });
      assert.equal(found, !vector.wantErr);
    });
  }
  it('are there in both polarities', () => {
    for (const kind of ['inclusion', 'consistency'] as const) {
      const found = new Set(load(kind).map(({ vector }) => vector.wantErr));
      assert.deepEqual([...found].sort(), [false, true], kind);
    }
  });
});

/** RFC 6962 §2.1, word for word. */
const definition = (leaves: readonly Buffer[]): Buffer => {
  const [first] = leaves;
  if (first === undefined) return createHash('sha256').digest();
  if (leaves.length === 1) return first;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return createHash('sha256')
    .update(
      Buffer.concat([Buffer.from([1]), definition(leaves.slice(0, split)), definition(leaves.slice(split))]),
    )
    .digest();
};

describe('tree hash', () => {
  const leaves = Array.from({ length: 70 }, (_, i) => leafHash(Buffer.from(`entry ${i}`)));
  it('is that of RFC 6962 §2.1 at every size', () => {
    const range = compactRange();
    assert.ok(range.root().equals(emptyRoot));
    for (let size = 0; size <= leaves.length; size++) {
      const row = leaves.slice(0, size);
      assert.ok(treeRoot(Buffer.concat(row)).equals(definition(row)), `row of ${size}`);
      assert.ok(range.root().equals(definition(row)), `range of ${size}`);
      const next = leaves[size];
      if (next !== undefined) range.push(next);
    }
  });
  it('hashes a leaf with 0x00 and a node with 0x01 in front', () => {
    const of = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
    const [a, b] = [randomBytes(32), randomBytes(32)];
    assert.ok(leafHash(a).equals(of(Buffer.from([0]), a)));
    assert.ok(nodeHash(a, b).equals(of(Buffer.from([1]), a, b)));
    assert.throws(() => nodeHash(a, b.subarray(1)), RangeError);
  });
  it('is proven by the paths made here, and by no other', () => {
    for (let size = 1; size <= 40; size++) {
      const row = Buffer.concat(leaves.slice(0, size));
      const root = treeRoot(row);
      for (let index = 0; index < size; index++) {
        const leaf = leaves[index] ?? emptyRoot;
        const path = inclusionPath(row, index);
        assert.ok(verifyInclusion({ index, size, leaf, path, root }), `${index} of ${size}`);
        assert.ok(!verifyInclusion({ index, size, leaf: leafHash(leaf), path, root }));
        assert.ok(!verifyInclusion({ index, size, leaf, path: [...path, leaf], root }));
      }
      for (let size1 = 0; size1 <= size; size1++) {
        const path = consistencyPath(row, size1);
        const root1 = treeRoot(Buffer.concat(leaves.slice(0, size1)));
        assert.ok(verifyConsistency({ size1, size2: size, root1, root2: root, path }), `${size1} in ${size}`);
        assert.ok(!verifyConsistency({ size1, size2: size, root1: leafHash(root1), root2: root, path }));
      }
    }
  });
});
