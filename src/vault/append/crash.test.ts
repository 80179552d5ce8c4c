import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { VaultError } from '../errors.ts';
import { openAppender } from './appender.ts';
import {
  assertIntact,
  beats,
  delivery,
  linesOf,
  openTest,
  vaultFor,
  withCode,
  type TestVault,
} from '../testing/test-vault.ts';

describe('death between any two system calls', () => {
  // Both commits of a life: one that begins the log, and one that fills a tile and removes partial ones.
  const before = async (made: TestVault, size: number): Promise<void> => {
    const appender = await openTest(made);
    if (size > 2) await appender.commit(beats(size - 2), '');
    for (let i = 0; i < Math.min(size, 2); i++) await appender.commit(beats(1), '');
    appender.close();
  };
  for (const size of [0, 254]) {
    it(`loses nothing and takes nothing twice, at size ${size}`, async (t) => {
      const made = vaultFor(t);
      await before(made, size);
      made.receive(delivery('one\ntwo\n'), delivery('three\n'));
      made.receive(delivery('four\n'));
      const image = join(made.root, 'image');
      const parts = ['vault', 'keys', 'intake'];
      mkdirSync(image);
      for (const part of parts) cpSync(join(made.root, part), join(image, part), { recursive: true });

      const steps: string[] = [];
      await made.keep((what) => steps.push(what));
      assert.ok(steps.length > 60, `${steps.length} steps`);
      // What holds after one call holds before the next. All of them in the full run, a sample in the quick one.
      const after = steps.map((_, i) => i).filter((i) => steps[i]?.startsWith('after') === true);
      const every = process.env['HOLDFAST_TEST_FULL'] === '1' ? 1 : size === 0 ? 3 : 11;
      const chosen = after.filter((_, i) => i % every === 0);
      for (const dieAt of chosen) {
        for (const part of parts) {
          rmSync(join(made.root, part), { recursive: true });
          cpSync(join(image, part), join(made.root, part), { recursive: true });
        }
        let step = 0;
        const death = new Error('death');
        await assert.rejects(
          made.keep(() => {
            if (step++ >= dieAt) throw death;
          }),
          (error) => causes(error).includes(death),
        );
        const during = await made.verify();
        assert.deepEqual(during.problems, [], `verify after death at step ${dieAt}: ${steps[dieAt]}`);
        await made.keep();
        assert.deepEqual(
          linesOf(made),
          ['one', 'two', 'three', 'four'],
          `death at step ${dieAt}: ${steps[dieAt]}`,
        );
        const report = await made.verify();
        assert.deepEqual(
          [report.problems, report.uncommitted],
          [[], 0],
          `death at step ${dieAt}: ${steps[dieAt]}`,
        );
        assert.equal(readdirSync(made.intake).filter((name) => name.endsWith('.intake')).length, 1);
        assert.deepEqual(readdirSync(made.keys).sort(), ['keeper.lock', 'lock', 'signer.key', 'vault.vkey']);
      }
    });
  }
  it('ends the appender: it takes nothing more until it is opened again', async (t) => {
    const made = vaultFor(t);
    let armed = true;
    const appender = await openAppender({
      vault: made.vault,
      keys: made.keys,
      clock: made.clock,
      step(what) {
        if (armed && what.startsWith('after rename') && what.endsWith('/lock')) throw new Error('fault');
      },
    });
    await assert.rejects(appender.commit([{ kind: 'heartbeat' }], ''), withCode('failed'));
    armed = false;
    await assert.rejects(appender.commit([{ kind: 'heartbeat' }], ''), withCode('failed'));
    appender.close();
    const again = await openTest(made);
    assert.equal(again.size(), 1);
    assert.ok(again.recovered);
  });
});

describe('a full disk', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  it('before the commit point changes nothing, and the same commit can be tried again', async (t) => {
    const made = vaultFor(t);
    let writes = 0;
    let failAt = 0;
    const appender = await openAppender({
      vault: made.vault,
      keys: made.keys,
      clock: made.clock,
      step(what) {
        if (what.startsWith('before write') && writes++ === failAt)
          throw new VaultError('no-space', full.message, { cause: full });
      },
    });
    const files = made.files();
    // Writes of a heartbeat's commit: the staging bundle, then the lock record.
    for (failAt = 0; failAt < 2; failAt++) {
      writes = 0;
      await assert.rejects(appender.commit([{ kind: 'heartbeat' }], ''), withCode('no-space'));
      assert.deepEqual(made.files(), files);
    }
    failAt = -1;
    assert.equal((await appender.commit([{ kind: 'heartbeat' }], '')).size, 1);
    await assertIntact(made);
  });
});

const causes = (error: unknown): unknown[] =>
  error instanceof Error ? [error, ...causes(error.cause)] : [error];
