import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { VaultError } from '#vault/read';
import { openAppender, type Appender } from '../../src/vault/append/appender.ts';
import { startSequencer } from '../../src/vault/append/sequencer.ts';
import { shuffled } from '../../src/vault/testing/fault-run.ts';
import { watchCalls } from '../../src/vault/testing/faulty-calls.ts';
import { checkTree } from '../../src/vault/testing/oracle.ts';
import {
  beats,
  delivery,
  inMemory,
  newTestVault,
  type TestVault,
} from '../../src/vault/testing/test-vault.ts';

/** How often this process has signed anything. */
let signatures = 0;
const sign = crypto.sign;
const counting = (...args: readonly unknown[]): unknown => {
  signatures += 1;
  return Reflect.apply(sign, crypto, args);
};
Reflect.set(crypto, 'sign', counting);
syncBuiltinESMExports();

const isFull = process.env['HOLDFAST_TEST_FULL'] === '1';
const seed = Number(process.env['HOLDFAST_TEST_SEED'] ?? 1);

/** A keeper at work that gets lines again and again, until it ends or has taken them all. @returns what ended it */
const work = async (made: TestVault, onOpen: (appender: Appender) => void): Promise<unknown> => {
  const clock = { ...made.clock, elapsed: () => made.clock.elapsed() * 25 };
  const appender = await openAppender({ vault: made.vault, keys: made.keys, clock, patienceMs: 0 });
  onOpen(appender);
  const { intake } = made;
  const sequencer = startSequencer({ appender, intake, clock, host: 'test', log: () => undefined });
  const keeper: { fault: unknown } = { fault: null };
  sequencer.ended.catch((error: unknown) => {
    keeper.fault = error;
  });
  for (const about of ['one', 'two', 'three']) {
    const name = made.receive(delivery(`${about}\n`));
    while (keeper.fault === null && !appender.intake().includes(`reading ${name} `)) await sleep(3);
  }
  await sequencer.stop().catch(() => undefined);
  return keeper.fault;
};

describe('after an fsync has failed', () => {
  it('the process signs nothing more, whatever it is given', async (t) => {
    const image = newTestVault(inMemory());
    t.after(() => image.remove());
    /** Works with the n-th fsync failing. @returns how many there were */
    const failing = async (n: number): Promise<number> => {
      const made = image.copy(inMemory());
      let syncs = 0;
      let signedThen: number | null = null;
      const watch = watchCalls(made.root, ({ kind }) => {
        if (kind !== 'sync' || syncs++ !== n) return 'run';
        signedThen = signatures;
        // Bytes may have become durable all the same.
        return { how: n % 2 === 0 ? 'fail' : 'persisted', code: 'EIO' };
      });
      let opened: Appender | null = null;
      try {
        const ended = await work(made, (appender) => {
          opened = appender;
        }).catch((error: unknown) => error);
        if (signedThen === null) return syncs;
        const note = `fsync ${n}`;
        assert.ok(ended instanceof Error, note);
        const lock = readFileSync(join(made.keys, 'lock'));
        const again = opened as Appender | null;
        if (again !== null) {
          const isRefusal = (error: unknown): boolean =>
            error instanceof VaultError && error.code === 'failed';
          // A fault in the sequencer's own start, before anything is to be synced with others, is its alone.
          if (n > 0) await assert.rejects(again.commit(beats(1), again.intake()), isRefusal, note);
          again.close();
        }
        assert.equal(signatures, signedThen, `${note}: signed afterwards`);
        assert.deepEqual(readFileSync(join(made.keys, 'lock')), lock, note);
        await checkTree(made, 'died', note);
        watch.end();
        await made.keep();
        assert.equal((await checkTree(made, 'kept', note)).left, 0, note);
        return syncs;
      } finally {
        watch.end();
        made.remove();
      }
    };
    const count = await failing(Infinity);
    assert.ok(count > 30, `${count} fsyncs`);
    assert.ok(signatures >= 3);
    const all = Array.from({ length: count }, (_, i) => i);
    const chosen = isFull ? all : shuffled(all, seed).slice(0, 20);
    for (const n of chosen) await failing(n);
    t.diagnostic(`${chosen.length} of ${count} fsyncs failed, seed ${seed}`);
  });
});
