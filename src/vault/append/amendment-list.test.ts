import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { inspectState } from '#vault/fsck';
import { amendmentsPath, segmentPath } from '#vault/tree';
import {
  assertGood,
  done,
  entryAt,
  expire,
  hold,
  lockOf,
  none,
  refused,
  twoBatches,
} from '../testing/amended-vault.ts';
import { answered, answerTo, ask, leaveRequest, whileKept } from '../testing/asking.ts';
import { openTest, vaultFor, withCode, type TestVault } from '../testing/test-vault.ts';

const listOf = (made: TestVault): string => join(made.vault, amendmentsPath);

const heldVault = async (t: TestContext): Promise<TestVault> => {
  const made = vaultFor(t);
  await twoBatches(made);
  assert.doesNotMatch(lockOf(made), /^amendments/m);
  done(await ask(made, hold(1, 2)));
  assert.match(lockOf(made), /^amendments 1 [0-9a-f]{64}$/m);
  return made;
};

const conditionOf = (made: TestVault): string[] =>
  inspectState(made).conditions.flatMap(({ grade, what }) => (grade === 'bad' ? [what] : []));

describe('the list of amendments, of which nothing but the lock record speaks', () => {
  it('is missed at the start, whatever took its place, and is good again when it is put back', async (t) => {
    const made = await heldVault(t);
    const list = made.read(amendmentsPath);
    const index = Number(list.toString());
    assert.deepEqual(conditionOf(made), []);
    const tampered: (string | null)[] = [null, '', `${index - 1}\n`, `${index}\n${index + 1}\n`, 'no list'];
    for (const text of tampered) {
      if (text === null) rmSync(listOf(made));
      else writeFileSync(listOf(made), text);
      await assert.rejects(openTest(made), (error: unknown) => {
        assert.ok(withCode('corrupt')(error), String(error));
        assert.match(String(error), /amendments is not the list that keys\/lock remembers[^]*fsck --from/);
        return true;
      });
      assert.ok(conditionOf(made).includes('vault/amendments'), String(text));
    }
    rmSync(listOf(made));
    symlinkSync(join(made.root, 'elsewhere'), listOf(made));
    await assert.rejects(openTest(made), withCode('corrupt'));
    rmSync(listOf(made));
    assert.ok(existsSync(join(made.vault, segmentPath(1))));
    made.write(amendmentsPath, list);
    assert.equal(refused(await ask(made, expire(0, 3))), 'held');
    await assertGood(made);
  });

  it('is not looked for in the file by a keeper that runs, which refuses where that is another', async (t) => {
    const made = await heldVault(t);
    const list = made.read(amendmentsPath);
    await whileKept(made, async () => {
      rmSync(listOf(made));
      const lost = leaveRequest(made, expire(0, 3));
      await answered(made, lost);
      assert.equal(refused(answerTo(made, lost) ?? none), 'corrupt');
      made.write(amendmentsPath, list);
      const held = leaveRequest(made, expire(0, 3));
      await answered(made, held);
      assert.equal(refused(answerTo(made, held) ?? none), 'held');
    });
    assert.ok(existsSync(join(made.vault, segmentPath(1))));
    await assertGood(made);
  });

  it('goes with every commit, also past one that a crash has cut short', async (t) => {
    const made = await heldVault(t);
    const before = made.read(amendmentsPath);
    const image = join(made.root, 'image');
    const died = new Error('death');
    const live = (dieAt: string): Promise<unknown> =>
      ask(made, hold(3, 4), (what) => {
        if (what.startsWith(dieAt)) throw died;
      }).catch((error: unknown) => error);
    // Past the commit point, with nothing published yet.
    await live(`before rename ${join(made.vault, 'tile')}`);
    assert.match(lockOf(made), /^amendments 2 [0-9a-f]{64}$/m);
    assert.ok(made.read(amendmentsPath).equals(before));
    mkdirSync(image);
    for (const part of ['vault', 'keys'])
      cpSync(join(made.root, part), join(image, part), { recursive: true });
    const files: (Buffer | null)[] = [before, null, Buffer.from('0\n'), Buffer.from('no list')];
    for (const file of files) {
      for (const part of ['vault', 'keys']) {
        rmSync(join(made.root, part), { recursive: true });
        cpSync(join(image, part), join(made.root, part), { recursive: true });
      }
      // The bundle has the whole list, and it is the one that the signer remembers.
      if (file === null) rmSync(listOf(made));
      else made.write(amendmentsPath, file);
      const appender = await openTest(made);
      assert.ok(appender.recovered);
      assert.equal(appender.amendments().toString(), made.read(amendmentsPath).toString());
      appender.close();
      const [first = 0, second = 0] = made.read(amendmentsPath).toString().trim().split('\n').map(Number);
      for (const index of [first, second])
        assert.equal((entryAt(made, index) as { kind: string }).kind, 'hold');
      await made.keep();
      await assertGood(made);
    }
  });
});
