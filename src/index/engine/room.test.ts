import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitForRoom } from './room.ts';

test('an insert waits until merges and searches have left half of the memory', async () => {
  const taken = [900, 600, 500, 0];
  let asked = 0;
  await waitForRoom({ rows: () => Promise.resolve([{ value: String(taken[asked++]) }]) }, 1000);
  assert.equal(asked, 3);
});
