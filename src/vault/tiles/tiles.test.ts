import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  consistencyPath,
  edgeRoot,
  emptyEdge,
  growEdge,
  hashSize,
  inclusionPath,
  leafHash,
  treeRoot,
} from '#vault/tree';
import { openTiles, type Tiles } from './index.ts';

/** Beyond 256² entries there are tiles of three levels, and the right edge of each is partial. */
const size = 66_000;
const vault = mkdtempSync(join(tmpdir(), 'holdfast-tiles-'));
let leaves: Buffer;
let tiles: Tiles;
let bundle: { path: string; bytes: Buffer } | null = null;

before(() => {
  const entries = Array.from({ length: size }, (_, i) => Buffer.from(`entry ${i}`));
  leaves = Buffer.concat(entries.map(leafHash));
  const { edge, files } = growEdge(emptyEdge, entries);
  for (const { path, bytes } of files.filter((file) => !file.path.startsWith('tile/entries'))) {
    mkdirSync(dirname(join(vault, path)), { recursive: true });
    writeFileSync(join(vault, path), bytes);
  }
  const checkpoint = { origin: 'test.example', size, root: edgeRoot(edge), note: Buffer.alloc(0) };
  tiles = openTiles(vault, checkpoint);
  bundle = files.find((file) => file.path === 'tile/entries/000') ?? null;
});

after(() => rmSync(vault, { recursive: true }));

const first = (count: number): Buffer => leaves.subarray(0, count * hashSize);

test('roots and paths at every kind of size are those that the leaves give', () => {
  const sizes = [1, 3, 255, 256, 257, 4096, 65_536, 65_537, size];
  for (const to of sizes) {
    assert.deepEqual(tiles.rootAt(to), treeRoot(first(to)), `root at ${to}`);
    for (const from of [0, ...sizes].filter((other) => other <= to))
      assert.deepEqual(
        tiles.consistencyPath(from, to),
        from === 0 ? [] : consistencyPath(first(to), from),
        `${from} → ${to}`,
      );
    for (const index of [0, 1, 254, 255, 256, 300, 65_535, 65_536, to - 1].filter((one) => one < to))
      assert.deepEqual(tiles.inclusionPath(index, to), inclusionPath(first(to), index), `${index} in ${to}`);
  }
});

test('what the checkpoint does not cover has neither root nor path', () => {
  const beyond = { code: 'expected-more' };
  assert.throws(() => tiles.rootAt(size + 1), beyond);
  assert.throws(() => tiles.consistencyPath(1, size + 1), beyond);
  assert.throws(() => tiles.consistencyPath(3, 2), beyond);
  assert.throws(() => tiles.inclusionPath(2, 2), beyond);
  assert.throws(() => tiles.inclusionPath(0, size + 1), beyond);
  assert.throws(() => tiles.consistencyPath(Number.NaN, 2), beyond);
});

test('a bundle is looked at each time, also when it was as it should be before', () => {
  assert.ok(bundle !== null);
  const path = join(vault, bundle.path);
  mkdirSync(dirname(path), { recursive: true });
  const altered = Buffer.from(bundle.bytes);
  altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
  writeFileSync(path, bundle.bytes);
  assert.equal(tiles.bundle(0)[255]?.toString(), 'entry 255');
  writeFileSync(path, altered);
  assert.throws(() => tiles.bundle(0), { code: 'corrupt' });
  writeFileSync(path, bundle.bytes);
  assert.equal(tiles.bundle(0)[255]?.toString(), 'entry 255');
});
