import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
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

  it('refuses the vault itself, what lies in it or around it, and any state directory that signs', async (t) => {
    const made = await filled(t);
    const state = join(made.root, 'S');
    mkdirSync(state);
    for (const part of ['vault', 'keys', 'intake'])
      cpSync(join(made.root, part), join(state, part), { recursive: true });
    const source = join(state, 'vault');
    const before = contents(state);
    symlinkSync(state, join(made.root, 'alias'));
    const other = join(made.root, 'other');
    cpSync(state, other, { recursive: true });
    const places = ['S', 'S/copy', 'S/vault', 'S/vault/tile/deep/er', '.', 'alias', 'alias/copy', 'other'];
    for (const place of places) {
      const options = { vault: source, vkey: made.vkey, keepOut: [state] };
      await assert.rejects(
        exportVault({ ...options, target: join(made.root, place) }),
        withCode('refused'),
        place,
      );
    }
    assert.deepEqual(contents(state), before);
    assert.deepEqual(contents(other), before);
    for (const part of ['keys/signer.key', 'intake'])
      rmSync(join(other, part), { recursive: true, force: true });
    await assert.rejects(exportVault({ vault: source, vkey: made.vkey, target: other }), /it has keys\/lock/);
  });

  it('follows no link in the target, and writes into nobody else’s directories', async (t) => {
    const made = await filled(t);
    await exporting(made);
    const victim = join(made.root, 'victim');
    mkdirSync(victim);
    rmSync(join(target(made), 'vault', 'history'), { recursive: true });
    symlinkSync(victim, join(target(made), 'vault', 'history'));
    await assert.rejects(exporting(made), withCode('refused'));
    assert.deepEqual(readdirSync(victim), []);
    rmSync(join(target(made), 'vault', 'history'));
    await exporting(made);
    await assertCopied(made);
    if (process.geteuid?.() !== 0) return;
    for (const path of ['vault/segment', 'keys', '.']) {
      chownSync(join(target(made), path), 65_534, 65_534);
      await assert.rejects(exporting(made), /belongs to user 65534/, path);
      chownSync(join(target(made), path), 0, 0);
    }
    chmodSync(target(made), 0o777);
    await assert.rejects(exporting(made), /anybody may write/);
  });

  it('mends what went bad in an earlier one, and says what', async (t) => {
    const made = await filled(t);
    await grow(made, [300]);
    await exporting(made);
    const copied = made.files().filter((file) => !file.startsWith('staging'));
    for (const file of copied) {
      if (file === 'checkpoint') continue;
      const path = join(target(made), 'vault', file);
      const bytes = readFileSync(path);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      writeFileSync(path, bytes);
    }
    writeFileSync(join(target(made), 'vault', 'segment', '200.zst'), 'x');
    const { mended, report, alike } = await exporting(made);
    assert.ok(report.ok);
    assert.deepEqual(alike, []);
    assert.ok(mended.includes('segment/001.zst') && mended.includes('segment/200.zst'));
    await assertCopied(made);
  });

  it('says where the fault lies in the vault itself, and keeps the copy’s good file', async (t) => {
    const made = await filled(t);
    await exporting(made);
    const path = made.files().find((file) => file.startsWith('segment/')) ?? '';
    const good = made.read(path);
    made.write(path, Buffer.alloc(good.length));
    const kept = await exporting(made);
    assert.ok(kept.report.ok);
    assert.ok(readFileSync(join(target(made), 'vault', path)).equals(good));
    rmSync(target(made), { recursive: true });
    await assert.rejects(exporting(made), /the vault itself is damaged/);
  });

  it('keeps checkpoints that only the copy still has, and will not guess over a damaged one', async (t) => {
    const made = await filled(t);
    await exporting(made);
    const history = made.read('history/000');
    made.write('history/000', history.subarray(2 + history.readUInt16BE(0)));
    assert.ok((await exporting(made)).report.ok);
    made.write('history/000', history);
    const checkpoint = join(target(made), 'vault', 'checkpoint');
    writeFileSync(checkpoint, 'garbage');
    await assert.rejects(exporting(made), /is damaged, so nobody can tell/);
    rmSync(checkpoint);
    await exporting(made);
    await assertCopied(made);
  });
});

const contents = (root: string): [string, string][] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .map((path): [string, string] => [path.slice(root.length), readFileSync(path, 'base64')])
    .sort();
