import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Numbering } from './numbering.ts';

it('takes each number once, and a late one into its hole', () => {
  const numbering = new Numbering();
  for (const sequence of [1, 2, 3, 7, 8]) assert.equal(numbering.admit('a', sequence), true);
  assert.deepEqual(numbering.holes(), [{ stream: 'a', first: 4, last: 6 }]);
  assert.equal(numbering.admit('a', 2), false);
  assert.equal(numbering.admit('a', 8), false);
  assert.equal(numbering.admit('a', 5), true);
  assert.equal(numbering.admit('a', 5), false);
  assert.deepEqual(numbering.holes(), [
    { stream: 'a', first: 4, last: 4 },
    { stream: 'a', first: 6, last: 6 },
  ]);
  assert.equal(numbering.admit('a', 4), true);
  assert.equal(numbering.admit('a', 6), true);
  assert.deepEqual(numbering.entries(), [['a', [[1, 8]]]]);
  assert.equal(numbering.admit('b', 1), true);
});

it('agrees with a set of all numbers, whatever their order', () => {
  const numbering = new Numbering();
  const known = new Set<number>();
  let state = 7;
  for (let round = 0; round < 5000; round += 1) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const sequence = 1 + ((state >> 8) % 300);
    assert.equal(numbering.admit('s', sequence), !known.has(sequence));
    known.add(sequence);
  }
  const missing = numbering.holes().reduce((sum, { first, last }) => sum + last - first + 1, 0);
  assert.equal(missing, Math.max(...known) - known.size);
});

it('leaves its original alone when copied', () => {
  const numbering = new Numbering([['a', [[1, 3]]]]);
  numbering.copy().admit('a', 4);
  assert.deepEqual(numbering.entries(), [['a', [[1, 3]]]]);
});

it('knows which numbers it has, and the newest of each stream', () => {
  const numbering = new Numbering([
    [
      'a',
      [
        [1, 3],
        [7, 9],
      ],
    ],
  ]);
  assert.deepEqual(
    [3, 4, 7, 10].map((sequence) => numbering.has('a', sequence)),
    [true, false, true, false],
  );
  assert.equal(numbering.has('b', 1), false);
  assert.deepEqual(numbering.newest(), [{ stream: 'a', last: 9 }]);
});
