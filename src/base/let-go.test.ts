import assert from 'node:assert/strict';
import { it } from 'node:test';
import { letGo } from './let-go.ts';

it('gives back memory of its own, and leaves alone what others share', () => {
  const large = Buffer.allocUnsafeSlow(1024 * 1024);
  letGo(large.subarray(10, 20));
  assert.equal(large.length, 0);
  const small = Buffer.from('one of many in a pool');
  const other = Buffer.from('another');
  letGo(small);
  assert.deepEqual([small.toString(), other.toString()], ['one of many in a pool', 'another']);
  const shared = Buffer.from(new SharedArrayBuffer(1024 * 1024));
  letGo(shared);
  assert.equal(shared.length, 1024 * 1024);
});
