import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { zstdCompressSync } from 'node:zlib';
import { micros } from '#base/clock';
import { openVault } from '#vault/read';
import { encodeRecord } from '#vault/record';
import { batchKeySize, batchLeaves, encodeSegment, segmentPath, sha256, treeRoot } from '#vault/tree';
import type { NewEntry } from './new-entry.ts';
import type { KeeperRequest } from '#vault/request';
import { answered, answerTo, ask, leaveRequest, whileKept } from '../testing/asking.ts';
import {
  delivery,
  inMemory,
  openTest,
  summary,
  testHead,
  vaultFor,
  withCode,
} from '../testing/test-vault.ts';
import {
  expire,
  hold,
  redact,
  twoBatches,
  done,
  refused,
  entryAt,
  assertGood,
  none,
  untilNothingToRemove,
  segmentsOf,
} from '../testing/amended-vault.ts';

/** One line, without the keeper's work on it. */
const newBatch = (): NewEntry => {
  const key = randomBytes(batchKeySize);
  const manifest = encodeRecord({ ...testHead, listener: 'keeper', peer: 'keeper', raw: Buffer.from('{}') });
  const line = encodeRecord({ ...testHead, raw: Buffer.from('a line') });
  const records = Buffer.concat([manifest, line]);
  const offsets = Uint32Array.of(0, manifest.length, records.length);
  const stored = zstdCompressSync(encodeSegment(key, 2, [records]));
  return {
    kind: 'batch',
    stored,
    entry: {
      class: 'default',
      root: treeRoot(batchLeaves(records, offsets, key)),
      lines: 2,
      earliest: testHead.received,
      latest: testHead.received,
      segment: { sha256: sha256(stored), length: stored.length },
    },
  };
};

describe('expiry', () => {
  it('removes segments under an entry, and nothing but that excuses a missing one', async (t) => {
    const made = vaultFor(t);
    await twoBatches(made);
    const segment = made.read(segmentPath(1));
    const { entry } = done(await ask(made, expire(0, 3)));
    assert.deepEqual(
      { ...(entryAt(made, entry) as object), committed: 0, prev: 0 },
      {
        kind: 'expire',
        entries: { first: 0, end: 3 },
        class: 'default',
        policy: 'older-than-400d',
        by: 'J. Doe',
        committed: 0,
        prev: 0,
      },
    );
    assert.ok(!existsSync(join(made.vault, segmentPath(1))));
    assert.ok(existsSync(join(made.vault, segmentPath(3))), 'what the entry does not name stays');
    assert.throws(() => openVault(made.vault).batch(1), withCode('expired'));
    await assertGood(made);

    // Until the keeper has said that the removal is over, what is still there is no finding.
    await whileKept(made, () => untilNothingToRemove(made));
    made.write(segmentPath(1), segment);
    assert.match(summary(await made.verify()), /segment\/001\.zst.*expired under entry/);
    rmSync(join(made.vault, segmentPath(1)));
    rmSync(join(made.vault, segmentPath(3)));
    assert.match(summary(await made.verify()), /segment\/003\.zst/);
  });

  it('is refused for what is too young, held, not there, or gone already', async (t) => {
    const made = vaultFor(t);
    await twoBatches(made);
    const files = made.files().length;
    const asked: [string, KeeperRequest | string][] = [
      ['refused', expire(0, 4, { before: testHead.received })],
      ['refused', expire(0, 4, { before: micros(Date.now() * 1000 + 3_600_000_000) })],
      ['not-found', expire(0, 4, { class: 'other' })],
      ['not-found', expire(0, 4000)],
      ['bad-request', '{"kind":"expire"}'],
      ['bad-request', JSON.stringify({ ...hold(0, 1), more: 1 })],
      ['bad-request', JSON.stringify({ ...hold(0, 1), reason: 'two\nlines' })],
      ['bad-request', 'not JSON'],
      ['not-found', { kind: 'release', hold: 1, reason: 'r', by: 'b' }],
      ['not-found', redact(0, 1)],
      ['refused', redact(1, 0)],
      ['not-found', redact(1, 4)],
    ];
    for (const [code, request] of asked)
      assert.equal(refused(await ask(made, request)), code, JSON.stringify(request));
    assert.ok(
      made.files().every((path) => !path.startsWith('amendments')),
      'nothing was amended',
    );
    assert.ok(made.files().length >= files);

    const held = done(await ask(made, hold(3, 4))).entry;
    assert.equal(refused(await ask(made, expire(0, 4))), 'held');
    assert.equal(refused(await ask(made, redact(3, 1))), 'held');
    done(await ask(made, expire(0, 3)));
    assert.equal(refused(await ask(made, expire(0, 3))), 'not-found');
    assert.equal(refused(await ask(made, redact(1, 1))), 'expired');
    done(await ask(made, { kind: 'release', hold: held, reason: 'closed', by: 'counsel' }));
    assert.equal(
      refused(await ask(made, { kind: 'release', hold: held, reason: 'closed', by: 'counsel' })),
      'not-found',
    );
    done(await ask(made, expire(3, 4)));
    await assertGood(made);
  });

  it('of very many batches does not hold commits back', async (t) => {
    const made = vaultFor(t, inMemory());
    const appender = await openTest(made);
    for (let i = 0; i < 3; i++) await appender.commit(Array.from({ length: 256 }, newBatch), '');
    appender.close();
    const end = 3 * 256;
    const id = leaveRequest(made, expire(0, end));
    let segments = 0;
    await whileKept(made, async () => {
      made.receive(delivery('meanwhile\n'));
      made.receive();
      while (
        !existsSync(join(made.vault, segmentPath(end + 1))) &&
        !existsSync(join(made.vault, segmentPath(end + 2)))
      )
        await sleep(1);
      segments = segmentsOf(made).length;
      await answered(made, id);
    });
    assert.ok(segments > 10, `${segments} were left when the next batch was committed`);
    assert.equal(segmentsOf(made).length, 1);
    done(answerTo(made, id) ?? none);
    await assertGood(made);
  });
});
