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

before(() => {
  const entries = Array.from({ length: size }, (_, i) => Buffer.from(`entry ${i}`));
  leaves = Buffer.concat(entries.map(leafHash));
  const { edge, files } = growEdge(emptyEdge, entries);
  for (const { path, bytes } of files.filter((file) => !file.path.startsWith('tile/entries'))) {
    mkdirSync(dirname(join(vault, path)), { recursive: true });
    writeFileSync(join(vault, path), bytes);
  }
  const checkpoint = { origin: 'test.example', size, root: edgeRoot(edge), note: Buffer.alloc(0) };
  tiles = openTiles(vault, checkpoint, new Map());
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
