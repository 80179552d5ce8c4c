import assert from 'node:assert/strict';
import {
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isSigned, parseNote, parseVkey } from '#vault/checkpoint';
import { openVault } from '#vault/read';
import {
  delivery,
  linesOf,
  newTestVault,
  openTest,
  vaultFor,
  withCode,
  type TestVault,
} from '../testing/test-vault.ts';
import { openAppender, type NewEntry } from './appender.ts';
import { keyFiles } from './keys.ts';

const isFull = process.env['HOLDFAST_TEST_FULL'] === '1';
const rotate: NewEntry = { kind: 'key', reason: 'yearly' };
const beat: NewEntry = { kind: 'heartbeat' };

const vkeyOf = ({ keys }: TestVault): string => readFileSync(keyFiles(keys).vkey, 'utf8').trim();

const signers = (made: TestVault, vkeys: readonly string[]): string[] => {
  const { text, signatures } = parseNote(made.read('checkpoint'));
  return signatures.map((signature) => {
    const at = vkeys.findIndex((vkey) => isSigned(text, signature, parseVkey(vkey)));
    return at < 0 ? 'nobody' : `key ${at}`;
  });
};

describe('rotation of the signing key', () => {
  it('is signed by the old and the new key, and from then on by the new one', async (t) => {
    const made = vaultFor(t);
    const appender = await openTest(made);
    await appender.commit([beat], '');
    const old = vkeyOf(made);
    await appender.commit([beat, rotate], '');
    const next = vkeyOf(made);
    assert.notEqual(next, old);
    assert.deepEqual(signers(made, [old, next]), ['key 0', 'key 1']);
    const { entry } = openVault(made.vault, { vkey: next }).entries(2, 3)[0] ?? {};
    assert.ok(entry?.kind === 'key');
    assert.equal(entry.key, next);
    await appender.commit([beat], '');
    assert.deepEqual(signers(made, [old, next]), ['key 1']);
    await appender.commit([rotate], '');
    const third = vkeyOf(made);
    assert.deepEqual(signers(made, [old, next, third]), ['key 1', 'key 2']);
    appender.close();
    const again = await openTest(made);
    await again.commit([beat], '');
    assert.deepEqual(signers(made, [old, next, third]), ['key 2']);
    again.close();
    assert.equal(statSync(keyFiles(made.keys).signer).mode & 0o777, 0o600);
    assert.equal(statSync(keyFiles(made.keys).vkey).mode & 0o777, 0o644);
    assert.ok(!existsSync(keyFiles(made.keys).next));
  });

  it('is done whole or not at all, wherever the process ends', async () => {
    const steps: string[] = [];
    const probe = newTestVault();
    const counting = await openAppender({ ...probe, patienceMs: 0, step: (what) => steps.push(what) });
    const before = steps.length;
    await counting.commit([rotate], '');
    counting.close();
    probe.remove();
    const seen = new Set<string>();
    const named = (at: number): string => steps[at] ?? '';
    for (let at = before; at < steps.length; at += isFull ? 1 : 4) {
      const made = newTestVault();
      made.receive(delivery('one\n'));
      const old = vkeyOf(made);
      let count = 0;
      const appender = await openAppender({
        ...made,
        patienceMs: 0,
        step: () => {
          if (count === at) throw new Error('killed');
          count += 1;
        },
      });
      await assert.rejects(appender.commit([rotate], ''));
      appender.close();
      await made.keep();
      const now = vkeyOf(made);
      seen.add(now === old ? 'old' : 'new');
      assert.deepEqual(linesOf({ ...made, vkey: now }), ['one'], named(at));
      const kinds = openVault(made.vault, { vkey: now })
        .entries(0, openVault(made.vault, { vkey: now }).checkpoint()?.size ?? 0)
        .map(({ entry }) => entry.kind);
      assert.equal(kinds.includes('key'), now !== old, named(at));
      assert.deepEqual(
        readdirSync(made.keys).sort(),
        ['keeper.lock', 'lock', 'signer.key', 'vault.vkey'],
        named(at),
      );
      made.remove();
    }
    assert.deepEqual([...seen].sort(), ['new', 'old']);
  });

  it('throws a next key away that signed nothing, and refuses keys that do not belong together', async (t) => {
    const made = vaultFor(t);
    const other = vaultFor(t);
    const files = keyFiles(made.keys);
    copyFileSync(keyFiles(other.keys).signer, files.next);
    const appender = await openTest(made);
    appender.close();
    assert.ok(!existsSync(files.next));
    copyFileSync(keyFiles(other.keys).signer, files.signer);
    await assert.rejects(openTest(made), withCode('bad-key'));
  });

  it('signs with a key that systemd unsealed, and says that this one cannot be replaced from here', async (t) => {
    const made = vaultFor(t);
    const unsealedKey = readFileSync(keyFiles(made.keys).signer);
    rmSync(keyFiles(made.keys).signer);
    await assert.rejects(openTest(made), withCode('absent'));
    const appender = await openAppender({ ...made, patienceMs: 0, unsealedKey });
    await appender.commit([beat], '');
    await assert.rejects(appender.commit([rotate], ''), withCode('bad-key'));
    appender.close();
    assert.deepEqual(signers(made, [made.vkey]), ['key 0']);
    assert.ok(!existsSync(keyFiles(made.keys).signer));
  });

  it('is followed by a reader that asks for the key again, and by no other', async (t) => {
    const made = vaultFor(t);
    const follows = openVault(made.vault, { vkey: () => vkeyOf(made) });
    const stays = openVault(made.vault, { vkey: made.vkey });
    assert.equal(follows.checkpoint()?.size, 0);
    assert.equal(stays.checkpoint()?.size, 0);
    const appender = await openTest(made);
    await appender.commit([rotate], '');
    assert.equal(stays.checkpoint()?.size, 1);
    await appender.commit([beat], '');
    appender.close();
    assert.equal(follows.checkpoint()?.size, 2);
    assert.throws(() => stays.checkpoint(), withCode('corrupt'));
  });

  it('does not hide that the vault was put back to before it', async (t) => {
    const made = vaultFor(t);
    const before = await openTest(made);
    await before.commit([beat], '');
    before.close();
    const copy = join(made.root, 'vault-before');
    cpSync(made.vault, copy, { recursive: true });
    const appender = await openTest(made);
    await appender.commit([rotate], '');
    await appender.commit([beat], '');
    appender.close();
    rmSync(made.vault, { recursive: true });
    renameSync(copy, made.vault);
    await assert.rejects(openTest(made), withCode('rolled-back'));
    // Of the same size, or of another log, it is no older state: something was changed.
    const text = made.read('checkpoint').toString();
    made.write('checkpoint', Buffer.from(text.replace(/\n1\n/, '\n3\n')));
    await assert.rejects(openTest(made), withCode('corrupt'));
    made.write('checkpoint', Buffer.from(text.replaceAll('test.example', 'else.example')));
    await assert.rejects(openTest(made), withCode('corrupt'));
  });

  it('is not undone by keys of before: a copy of keys/ from then is refused', async (t) => {
    const made = vaultFor(t);
    const copy = join(made.root, 'keys-before');
    cpSync(made.keys, copy, { recursive: true });
    const appender = await openTest(made);
    await appender.commit([rotate], '');
    await appender.commit([beat], '');
    appender.close();
    rmSync(made.keys, { recursive: true });
    renameSync(copy, made.keys);
    await assert.rejects(openTest(made), withCode('signer-behind'));
  });
});
