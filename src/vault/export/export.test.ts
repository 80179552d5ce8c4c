import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { verifyVault, type VerifyReport } from '#vault/verify';
import {
  beats,
  delivery,
  linesOf,
  openTest,
  vaultFor,
  withCode,
  type TestVault,
} from '../testing/test-vault.ts';
import { exportVault, type Exported } from './export.ts';

const target = (made: TestVault): string => join(made.root, 'copy');

const exporting = (made: TestVault): Promise<Exported> =>
  exportVault({ vault: made.vault, vkey: made.vkey, target: target(made) });

const verifyCopy = (made: TestVault): Promise<VerifyReport> =>
  verifyVault({
    vault: join(target(made), 'vault'),
    vkey: readFileSync(join(target(made), 'keys', 'vault.vkey'), 'utf8'),
  });

const assertCopied = async (made: TestVault): Promise<void> => {
  assert.deepEqual((await verifyCopy(made)).problems, []);
  assert.deepEqual(linesOf({ ...made, vault: join(target(made), 'vault') }), linesOf(made));
};

const filled = async (t: TestContext): Promise<TestVault> => {
  const made = vaultFor(t);
  made.receive(delivery('one\ntwo\n'));
  await made.keep();
  return made;
};

const grow = async (made: TestVault, commits: readonly number[]): Promise<void> => {
  const appender = await openTest(made);
  for (const count of commits) await appender.commit(beats(count), appender.intake());
  appender.close();
};

describe('export', () => {
  it('is a whole vault with its public key, and has nothing that signs', async (t) => {
    const made = await filled(t);
    const exported = await exporting(made);
    assert.equal(exported.from, 0);
    assert.ok(exported.files > 4 && exported.bytes > 500);
    await assertCopied(made);
    assert.deepEqual(readdirSync(join(target(made), 'keys')), ['vault.vkey']);
    const [, key = ''] = readFileSync(join(made.keys, 'signer.key'), 'utf8').split('\n');
    assert.ok(key.length > 40);
    for (const file of readdirSync(target(made), { recursive: true, withFileTypes: true })) {
      const path = join(file.parentPath, file.name);
      if (file.isFile()) assert.ok(!readFileSync(path).includes(key), path);
    }
  });

  it('brings an earlier one up to date, across full tiles', async (t) => {
    const made = await filled(t);
    await exporting(made);
    for (const commits of [[3], [100, 1], [200], [254, 2, 30]]) {
      await grow(made, commits);
      made.receive(delivery(`after ${commits.join()}\n`));
      await made.keep();
      const { from, size } = await exporting(made);
      assert.ok(from > 0 && size > from);
      await assertCopied(made);
    }
    const again = await exporting(made);
    assert.equal(again.from, again.size);
    await assertCopied(made);
  });

  it('can be made while a keeper is at work', async (t) => {
    const made = await filled(t);
    const work = { is: 'going on' };
    const keeper = (async () => {
      const appender = await openTest(made);
      for (let i = 0; i < 120; i++) await appender.commit(beats(7), appender.intake());
      appender.close();
      work.is = 'done';
    })();
    let exports = 0;
    while (work.is !== 'done') {
      await exporting(made);
      assert.deepEqual((await verifyCopy(made)).problems, []);
      exports += 1;
    }
    await keeper;
    assert.ok(exports > 1);
  });

  it('is finished by the next one after it was cut short', async (t) => {
    const made = await filled(t);
    await grow(made, [300]);
    await exporting(made);
    rmSync(join(target(made), 'vault', 'checkpoint'));
    await exporting(made);
    await assertCopied(made);
  });

  it('never goes back: a newer copy of a vault that was put back stays as it is, and so does another log’s', async (t) => {
    const made = await filled(t);
    const before = join(made.root, 'before');
    cpSync(made.vault, before, { recursive: true });
    await grow(made, [2]);
    await exporting(made);
    const kept = readFileSync(join(target(made), 'vault', 'checkpoint'));
    await assert.rejects(
      exportVault({ vault: before, vkey: made.vkey, target: target(made) }),
      withCode('rolled-back'),
    );
    const other = await filled(t);
    await grow(other, [5]);
    await assert.rejects(
      exportVault({ vault: other.vault, vkey: other.vkey, target: target(made) }),
      withCode('fork'),
    );
    assert.ok(readFileSync(join(target(made), 'vault', 'checkpoint')).equals(kept));
  });
});
