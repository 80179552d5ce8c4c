import assert from 'node:assert/strict';
import { it } from 'node:test';
import { bodyMemory, growing } from './memory.ts';

it('what grows is what was added, however it is taken away, and all memory comes back', () => {
  const memory = bodyMemory(400_000);
  let state = 3;
  const below = (most: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((state / 0x8000_0000) * most);
  };
  for (let round = 0; round < 200; round += 1) {
    const held = growing(memory, 'a');
    let expected = Buffer.alloc(0);
    for (let n = 0; n < 60; n += 1) {
      const more = Buffer.alloc(below(4000), below(256));
      if (held.add(more)) expected = Buffer.concat([expected, more]);
      assert.equal(held.length, expected.length);
      assert.equal(held.last, expected.at(-1));
      const byte = below(256);
      assert.equal(held.first(byte), expected.indexOf(byte));
      assert.equal(held.lastOf(byte), expected.lastIndexOf(byte));
      if (below(5) > 0) continue;
      const count = below(expected.length + 1);
      assert.deepEqual(Buffer.concat(held.take(count)), expected.subarray(0, count));
      expected = expected.subarray(count);
    }
    assert.deepEqual(Buffer.concat(held.pieces()), expected);
    held.free();
    assert.ok(memory.take('a', 200_000), 'all of it is there again');
    memory.give('a', 200_000);
  }
});

it('no sender holds more than half, and without memory each holds a little', () => {
  const memory = bodyMemory(1_000_000);
  const greedy = growing(memory, 'a');
  while (greedy.add(Buffer.alloc(10_000)));
  assert.ok(greedy.length > 450_000 && greedy.length < 520_000, String(greedy.length));
  const small = growing(memory, 'a');
  assert.ok(small.add(Buffer.alloc(4000)));
  assert.ok(!small.add(Buffer.alloc(30_000)));
  const other = growing(memory, 'b');
  assert.ok(other.add(Buffer.alloc(300_000)));
});
