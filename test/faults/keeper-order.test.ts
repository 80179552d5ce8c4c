import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseCheckpoint, parseLock } from '#vault/checkpoint';
import type { VaultErrorCode } from '#vault/read';
import { watchCalls } from '../../src/vault/testing/faulty-calls.ts';
import { checkTree } from '../../src/vault/testing/oracle.ts';
import {
  delivery,
  inMemory,
  openTest,
  vaultFor,
  withCode,
  type TestVault,
} from '../../src/vault/testing/test-vault.ts';

let signatures = 0;
const sign = crypto.sign;
Reflect.set(crypto, 'sign', (...args: readonly unknown[]): unknown => {
  signatures += 1;
  return Reflect.apply(sign, crypto, args);
});
syncBuiltinESMExports();

const parts = ['vault', 'keys'] as const;

const save = (made: TestVault, as: string): void => {
  for (const part of parts) cpSync(made[part], join(made.root, as, part), { recursive: true });
};

const restore = (made: TestVault, from: string, part: 'vault' | 'keys'): void => {
  rmSync(made[part], { recursive: true });
  cpSync(join(made.root, from, part), made[part], { recursive: true });
};

/** Every file of vault/ and keys/ with its bytes. */
const everything = (made: TestVault): Map<string, string> => {
  const found = new Map<string, string>();
  for (const part of parts)
    for (const entry of readdirSync(made[part], { recursive: true, withFileTypes: true }))
      if (entry.isFile() && entry.name !== 'keeper.lock') {
        const path = join(entry.parentPath, entry.name);
        found.set(path, readFileSync(path).toString('base64'));
      }
  return found;
};

const sizes = (made: TestVault): { signed: number; published: number } => ({
  signed: parseCheckpoint(parseLock(readFileSync(join(made.keys, 'lock'))).note).size,
  published: parseCheckpoint(made.read('checkpoint')).size,
});

/** The keeper refuses, twice, with lines waiting; it signs nothing and leaves every byte as it is. */
const assertRefused = async (made: TestVault, code: VaultErrorCode): Promise<void> => {
  made.receive(delivery('waiting\n'));
  const before = everything(made);
  const signed = signatures;
  for (let i = 0; i < 2; i++) await assert.rejects(made.keep(), withCode(code));
  assert.equal(signatures, signed, 'nothing is signed');
  assert.deepEqual(everything(made), before, 'no byte is changed');
  assert.ok(!(await made.verify()).ok, 'verify sees it too');
};

const kept = async (t: TestContext): Promise<TestVault> => {
  const made = vaultFor(t, inMemory());
  made.receive(delivery('one\n'));
  await made.keep();
  return made;
};

/** Dies in its next life when the lock record is swapped, before anything is published. */
const dieAtCommitPoint = async (made: TestVault): Promise<void> => {
  made.receive(delivery('two\n'), delivery('three\n'));
  let isDead = false;
  const watch = watchCalls(made.root, ({ name }) => {
    isDead ||= name.startsWith('open vault/staging/') && sizes(made).signed > sizes(made).published;
    return isDead ? { how: 'fail', code: 'EIO' } : 'run';
  });
  await assert.rejects(made.keep());
  watch.end();
  const { signed, published } = sizes(made);
  assert.ok(signed > published);
};

describe('the order of commits', () => {
  it('signed and staged, not published: published by the start, as it was signed', async (t) => {
    const made = await kept(t);
    await dieAtCommitPoint(made);
    const lock = readFileSync(join(made.keys, 'lock'));
    const { note } = parseLock(lock);
    const before = signatures;
    const appender = await openTest(made);
    assert.ok(appender.recovered);
    assert.equal(signatures, before, 'replay signs nothing');
    assert.ok(made.read('checkpoint').equals(note));
    assert.ok(readFileSync(join(made.keys, 'lock')).equals(lock));
    appender.close();
    await checkTree(made, 'kept', 'replayed');
    await made.keep();
    assert.equal((await checkTree(made, 'kept', 'gone on')).left, 0);
  });

  it('replays again after a death in the middle of a replay, to the same bytes', async (t) => {
    const made = await kept(t);
    await dieAtCommitPoint(made);
    const whole = made.copy(inMemory());
    t.after(() => whole.remove());
    (await openTest(whole)).close();
    for (let at = 0; ; at++) {
      let calls = 0;
      let isDead = false;
      const watch = watchCalls(made.root, () => {
        isDead ||= calls++ === at;
        return isDead ? { how: 'fail', code: 'EIO' } : 'run';
      });
      const opened = await openTest(made).catch(() => null);
      watch.end();
      opened?.close();
      if (!isDead) break;
      await checkTree(made, 'died', `died at call ${at} of the replay`);
    }
    const relative = (of: TestVault): [string, string][] =>
      [...everything(of)].map(([path, bytes]) => [path.slice(of.root.length), bytes]);
    assert.deepEqual(relative(made), relative(whole));
  });

  it('signed, not published, and not staged any more: refused as rolled back', async (t) => {
    const made = await kept(t);
    await dieAtCommitPoint(made);
    for (const name of readdirSync(join(made.vault, 'staging'))) rmSync(join(made.vault, 'staging', name));
    await assertRefused(made, 'rolled-back');
  });

  it('an older vault/ is put back: refused before anything is signed', async (t) => {
    const made = await kept(t);
    save(made, 'old');
    for (const text of ['two\n', 'three\n']) {
      made.receive(delivery(text));
      await made.keep();
    }
    restore(made, 'old', 'vault');
    await assertRefused(made, 'rolled-back');
  });

  it('an older vault/ is put back while a commit is staged: refused, although the bundle fits the signature', async (t) => {
    const made = await kept(t);
    save(made, 'old');
    made.receive(delivery('between\n'));
    await made.keep();
    await dieAtCommitPoint(made);
    cpSync(join(made.vault, 'staging'), join(made.root, 'bundle'), { recursive: true });
    restore(made, 'old', 'vault');
    cpSync(join(made.root, 'bundle'), join(made.vault, 'staging'), { recursive: true });
    await assertRefused(made, 'rolled-back');
  });

  it('an older keys/ is put back: refused', async (t) => {
    const made = await kept(t);
    save(made, 'old');
    made.receive(delivery('two\n'));
    await made.keep();
    restore(made, 'old', 'keys');
    await assertRefused(made, 'signer-behind');
  });

  it('the same size with another root: refused as a fork', async (t) => {
    const made = await kept(t);
    save(made, 'old');
    await made.keep();
    save(made, 'one');
    for (const part of parts) restore(made, 'old', part);
    await made.keep();
    assert.equal(
      sizes(made).signed,
      parseCheckpoint(readFileSync(join(made.root, 'one/vault/checkpoint'))).size,
    );
    restore(made, 'one', 'vault');
    await assertRefused(made, 'fork');
  });
});
