import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { shuffled } from '../../src/vault/testing/fault-run.ts';
import { assertIntact } from '../../src/vault/testing/test-vault.ts';
import { everyCut, everyFlip, everyMove } from './every-mutation.ts';
import type { Mutation } from './mutation.ts';
import { amendedVault, largeVault, smallVault, type Kept } from './subjects.ts';
import { judgeOnAll } from './threads.ts';

/**
 * Whatever is done to the files of a vault is detected, and named. HOLDFAST_TEST_FULL=1 for every bit and every length;
 * else a sample, HOLDFAST_TEST_SEED for another one.
 */
const isFull = process.env['HOLDFAST_TEST_FULL'] === '1';
const seed = Number(process.env['HOLDFAST_TEST_SEED'] ?? 1);

const judged = async (
  t: TestContext,
  kept: Kept,
  all: readonly Mutation[],
  sample: number,
): Promise<void> => {
  const chosen = shuffled(all, seed).slice(0, sample);
  const began = performance.now();
  const { failures, slowestMs } = await judgeOnAll(kept, kept.made.vkey, chosen);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  t.diagnostic(
    `${chosen.length} of ${all.length} judged, seed ${seed}, ${seconds} s, slowest ${Math.round(slowestMs)} ms`,
  );
  assert.deepEqual(failures, []);
};

describe('a small vault', () => {
  let kept: Kept;
  before(async () => {
    kept = await smallVault();
  });
  after(() => kept.remove());

  it('is whole to begin with', () => assertIntact(kept.made));
  it('with any bit flipped is detected, and the file named', (t) =>
    judged(t, kept, everyFlip(kept), isFull ? Infinity : 2400));
  it('with any file cut to any length is detected, and the file named', (t) =>
    judged(t, kept, everyCut(kept), isFull ? Infinity : 800));
  it('with files extended, swapped, replayed, removed, replaced or put back is detected, and named', (t) =>
    judged(t, kept, everyMove(kept), Infinity));
  it('is whole again in the end', () => assertIntact(kept.made));
});

describe('a vault with amendments', () => {
  let kept: Kept;
  before(async () => {
    kept = await amendedVault();
  });
  after(() => kept.remove());

  it('is whole to begin with', () => assertIntact(kept.made));
  it('with a bit flipped is detected, and the file named', (t) =>
    judged(t, kept, everyFlip(kept), isFull ? 3000 : 250));
  it('with a file cut is detected, and the file named', (t) =>
    judged(t, kept, everyCut(kept), isFull ? 1500 : 150));
  it('with files extended, swapped, replayed, removed, replaced or put back is detected, and named', (t) =>
    judged(t, kept, everyMove(kept), isFull ? 1500 : 200));
});

describe('a vault with full tiles', () => {
  let kept: Kept;
  before(async () => {
    kept = await largeVault();
  });
  after(() => kept.remove());

  it('is whole to begin with', () => assertIntact(kept.made));
  it('with a bit flipped is detected, and the file named', (t) =>
    judged(t, kept, everyFlip(kept), isFull ? 4000 : 300));
  it('with a file cut is detected, and the file named', (t) =>
    judged(t, kept, everyCut(kept), isFull ? 2000 : 150));
  it('with files extended, swapped, replayed, removed, replaced or put back is detected, and named', (t) =>
    judged(t, kept, everyMove(kept), isFull ? 4000 : 400));
});
