import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openVault } from '#vault/read';
import type { KeeperAnswer, KeeperRequest } from '#vault/request';
import { answered, answerTo, leaveRequest, whileKept } from '../testing/asking.ts';
import { inMemory, summary, vaultFor } from '../testing/test-vault.ts';
import {
  expire,
  hold,
  redact,
  twoBatches,
  done,
  refused,
  assertGood,
  filesWith,
  none,
} from '../testing/amended-vault.ts';

const isFull = process.env['HOLDFAST_TEST_FULL'] === '1';

describe('death at any step of what was asked', () => {
  const cases: [string, KeeperRequest, number][] = [
    ['expire', expire(0, 4), 2],
    ['redact', redact(1, 2), 1],
  ];
  for (const [name, request, gone] of cases) {
    it(`of ${name} does it once, and wholly`, async (t) => {
      const made = vaultFor(t, inMemory());
      await twoBatches(made);
      const id = leaveRequest(made, request);
      const parts = ['vault', 'keys', 'intake'];
      const image = join(made.root, 'image');
      mkdirSync(image);
      for (const part of parts) cpSync(join(made.root, part), join(image, part), { recursive: true });
      const restore = (): void => {
        for (const part of parts) {
          rmSync(join(made.root, part), { recursive: true });
          cpSync(join(image, part), join(made.root, part), { recursive: true });
        }
      };
      const live = (step?: (what: string) => void): Promise<void> =>
        whileKept(made, () => answered(made, id), step);

      const steps: string[] = [];
      await live((what) => steps.push(what));
      const after = steps.map((_, i) => i).filter((i) => steps[i]?.startsWith('after') === true);
      assert.ok(after.length > 40, `${after.length} steps`);
      const every = isFull ? 1 : 9;
      for (const dieAt of after.filter((_, i) => i % every === 0)) {
        const note = `death at step ${dieAt}: ${steps[dieAt]}`;
        restore();
        let at = 0;
        const death = new Error('death');
        await live(() => {
          if (at++ >= dieAt) throw death;
        }).catch(() => undefined);
        assert.equal(summary(await made.verify()), '', `verify after ${note}`);
        await live();
        await made.keep();
        const vault = openVault(made.vault, { vkey: made.vkey });
        assert.deepEqual(
          vault
            .amendments()
            .all()
            .map(({ entry }) => entry.kind),
          [request.kind],
          note,
        );
        assert.equal(done(answerTo(made, id) ?? none).entry, vault.amendments().all()[0]?.index, note);
        const segments = made.files().filter((path) => path.startsWith('segment/'));
        assert.equal(segments.length, name === 'expire' ? 2 - gone : 2, note);
        assert.deepEqual(
          filesWith(made, 'hunter2').filter((path) => !path.startsWith(image)),
          [],
          note,
        );
        assert.deepEqual(readdirSync(join(made.keys, 'requests')), [`${id}.result.json`], note);
        await assertGood(made, note);
      }
    });
  }

  it('whose request is withdrawn, or is no file, harms nothing', async (t) => {
    const made = vaultFor(t);
    await twoBatches(made);
    const directory = join(made.keys, 'requests');
    const id = leaveRequest(made, hold(1, 2));
    rmSync(join(directory, `${id}.json`));
    mkdirSync(join(directory, '0123456789abcdef.json'));
    const elsewhere = join(made.root, 'elsewhere');
    writeFileSync(elsewhere, JSON.stringify(hold(1, 2)));
    symlinkSync(elsewhere, join(directory, 'fedcba9876543210.json'));
    const last = leaveRequest(made, hold(3, 4));
    await whileKept(made, async () => {
      for (const one of [last, '0123456789abcdef', 'fedcba9876543210']) await answered(made, one);
    });
    for (const odd of ['0123456789abcdef', 'fedcba9876543210'])
      assert.equal(refused(answerTo(made, odd) ?? done(answerTo(made, last) as KeeperAnswer)), 'bad-request');
    assert.ok(existsSync(elsewhere));
    assert.equal(openVault(made.vault).amendments().all().length, 1);
    await assertGood(made);
  });
});
