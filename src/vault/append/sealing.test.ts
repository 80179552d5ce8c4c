import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { decompressSegment, encodeSegment, segmentHeader, sha256 } from '#vault/tree';
import { batchSalts } from '../tree/batch.ts';
import { plain as simple } from '../tree/sha256/plain.ts';
import { VaultError } from '../errors.ts';
import type { Unsealed } from './seal.ts';
import { openSealing, type Sealing } from './sealing.ts';

const sealingFor = (t: TestContext): Sealing => {
  const sealing = openSealing();
  t.after(() => sealing.close());
  return sealing;
};

/** A batch of lines of 1,000 bytes each, and what must come of it. */
const batchOf = (count: number) => {
  const key = randomBytes(32);
  const records = randomBytes(count * 1000);
  const header = encodeSegment(key, count, []);
  const plain = Buffer.from(new ArrayBuffer(header.length + records.length));
  header.copy(plain);
  records.copy(plain, segmentHeader);
  const offsets = Uint32Array.from({ length: count + 1 }, (_, i) => segmentHeader + i * 1000);
  const root = simple.root(simple.leaves(plain, offsets, batchSalts(key, count)));
  const batch: Unsealed = { plain, offsets, key };
  return { batch, root, bytes: Buffer.from(plain) };
};

describe('sealing', () => {
  for (const [what, count] of [
    ['a small batch here', 3],
    ['a large batch in its thread', 1000],
  ] as const) {
    it(`gives root, stored bytes and their hash of ${what}`, async (t) => {
      const sealing = sealingFor(t);
      const { batch, root, bytes } = batchOf(count);
      const sealed = await sealing.seal(batch);
      assert.ok(sealed.root.equals(root));
      assert.ok(decompressSegment(sealed.stored).equals(bytes));
      assert.ok(sealed.sha256.equals(sha256(sealed.stored)));
      assert.equal(sealing.spare()?.byteLength, bytes.length, 'the memory comes back');
      assert.equal(sealing.spare(), undefined, 'once');
    });
  }
  it('tells batches that are on the way together apart', async (t) => {
    const sealing = sealingFor(t);
    const made = Array.from({ length: 5 }, (_, i) => batchOf(1000 - 150 * i));
    const sealed = await Promise.all(made.map(({ batch }) => sealing.seal(batch)));
    for (const [i, { root }] of made.entries()) assert.ok(sealed[i]?.root.equals(root), `batch ${i}`);
  });
  it('says so when its thread has ended, to those who wait and to those who come later', async (t) => {
    const sealing = sealingFor(t);
    const waiting = sealing.seal(batchOf(4000).batch);
    await Promise.all([
      assert.rejects(
        waiting,
        (error) => error instanceof VaultError && /thread .* has ended/.test(error.message),
      ),
      sealing.close(),
    ]);
    await assert.rejects(sealing.seal(batchOf(1000).batch), { code: 'failed' });
  });
  it('says so when a batch cannot be sealed, and goes on with others', async (t) => {
    const sealing = sealingFor(t);
    const { batch } = batchOf(1000);
    await assert.rejects(sealing.seal({ ...batch, key: Buffer.alloc(3) }), /[Kk]ey/);
    const next = batchOf(1000);
    assert.ok((await sealing.seal(next.batch)).root.equals(next.root));
  });
});
