import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseCheckpoint, parseLock } from '#vault/checkpoint';
import { encodeStaging, parseStaging, stagingName } from '#vault/tree';
import { openAppender } from '../append/appender.ts';
import {
  assertIntact,
  delivery,
  openTest,
  summary,
  vaultFor,
  withCode,
  type TestVault,
} from '../testing/test-vault.ts';
import { newFindings } from './report.ts';
import { verifyVault } from './verify.ts';

/** Some lines, and then a life whose second commit, that of more lines, a crash cut short at a system call. */
const cutShort = async (t: TestContext, at: RegExp): Promise<TestVault> => {
  let times = 0;
  const made = vaultFor(t);
  made.receive(delivery('one\n'));
  await made.keep();
  made.receive(delivery('two\n'), delivery('three\n'));
  await assert.rejects(
    made.keep((what) => {
      if (at.test(what) && ++times === 2) throw new Error('death');
    }),
  );
  return made;
};

const afterCommitPoint = /^after rename .*\/keys\/lock$/;

const signedOf = (made: TestVault) => parseCheckpoint(parseLock(readFileSync(join(made.keys, 'lock'))).note);

/** The vault as it was after a first life, its signer's memory as it is after a second, and what is staged between. */
const rolledBack = async (t: TestContext): Promise<{ made: TestVault; bundle: Buffer }> => {
  const made = vaultFor(t);
  made.receive(delivery('one\n'));
  await made.keep();
  cpSync(made.vault, join(made.root, 'old'), { recursive: true });
  made.receive(delivery('two\n'));
  let bundle: Buffer = Buffer.alloc(0);
  await made.keep((what) => {
    if (!afterCommitPoint.test(what)) return;
    const name = readdirSync(join(made.vault, 'staging')).find((other) => !other.startsWith('tmp-'));
    bundle = made.read(`staging/${name ?? 'none'}`);
  });
  rmSync(made.vault, { recursive: true });
  cpSync(join(made.root, 'old'), made.vault, { recursive: true });
  return { made, bundle };
};

describe('verify of a commit that was cut short', () => {
  it('takes one that is whole for what it is, with the signer’s memory and without', async (t) => {
    const made = await cutShort(t, afterCommitPoint);
    const report = await made.verify();
    assert.equal(summary(report), '');
    const { size } = signedOf(made);
    assert.deepEqual(report.freshness.signer, { says: 'one more', size });
    assert.equal(report.freshness.verdict, 'unknown');
    assert.ok(report.uncommitted > 1 && report.size < size);
    assert.equal(summary(await verifyVault({ vault: made.vault, vkey: made.vkey })), '');
    await made.keep();
    await assertIntact(made);
  });

  it('names it where a segment of it is missing or was changed', async (t) => {
    const made = await cutShort(t, afterCommitPoint);
    const from = parseCheckpoint(made.read('checkpoint')).size;
    const segment = made.files().find((path) => path.startsWith(`segment/${String(from).padStart(3, '0')}`));
    assert.ok(segment !== undefined);
    const bytes = made.read(segment);
    const changed = Buffer.from(bytes);
    changed[20] = (changed[20] ?? 0) ^ 1;
    for (const other of [changed, bytes.subarray(0, 30), null]) {
      if (other === null) rmSync(join(made.vault, segment));
      else made.write(segment, other);
      const found = summary(await made.verify());
      assert.match(found, /^checkpoint: rolled back/m);
      assert.match(found, /^staging\/\d+-[0-9a-f]{64}: unexpected: /m);
      await assert.rejects(openTest(made));
    }
  });

  it('names each file of it that was changed', async (t) => {
    const made = await cutShort(t, /^after rename .*\/checkpoint$/);
    await assertIntactButStaged(made);
    const beyond = await cutShort(t, /^before rename .*\/checkpoint$/);
    await assertIntactButStaged(beyond);
    for (const vault of [made, beyond]) {
      for (const path of vault.files().filter((other) => !other.startsWith('staging/tmp-'))) {
        const bytes = vault.read(path);
        const changed = Buffer.from(bytes);
        const at = Math.floor(bytes.length / 2);
        changed[at] = (changed[at] ?? 0) ^ 1;
        vault.write(path, changed);
        assert.ok(!(await vault.verify()).ok, `byte ${at} of ${path}`);
        vault.write(path, bytes);
      }
    }
  });
});

const assertIntactButStaged = async (made: TestVault): Promise<void> => {
  const report = await made.verify();
  assert.equal(summary(report), '');
  assert.ok(report.uncommitted > 0);
};

describe('verify of a vault that was put back to an older state', () => {
  it('is not deceived by a file that has the name of the newest commit', async (t) => {
    const { made, bundle } = await rolledBack(t);
    const { size, root } = signedOf(made);
    const name = `staging/${stagingName(size, root)}`;
    const staged = parseStaging(bundle);
    const from = parseCheckpoint(made.read('checkpoint')).size;
    assert.ok(staged.from > from, 'more than one commit is gone');
    const lastOnly = {
      ...staged,
      from,
      history: { ...staged.history, offset: made.read('history/000').length },
    };
    const planted: [string, Buffer][] = [
      ['nothing in it', Buffer.alloc(0)],
      ['noise', Buffer.alloc(500, 7)],
      ['a plan without anything', Buffer.from(encodeStaging({ ...lastOnly, files: [] }))],
      ['the real one, of a later size', bundle],
      ['the real one, made to fit', encodeStaging(lastOnly)],
    ];
    for (const [what, bytes] of planted) {
      made.write(name, bytes);
      const report = await made.verify();
      assert.match(summary(report), /^checkpoint: rolled back: it ends at/m, what);
      assert.match(summary(report), new RegExp(`^${name}: unexpected`, 'm'), what);
      assert.equal(report.freshness.verdict, 'contradicted', what);
      await assert.rejects(openTest(made), what);
    }
    made.write(name, bundle);
    await assert.rejects(openTest(made), withCode('rolled-back'));
  });

  it('tells by the history, without the signer’s memory', async (t) => {
    const { made } = await rolledBack(t);
    const old = made.read('history/000');
    const { note } = parseLock(readFileSync(join(made.keys, 'lock')));
    const length = Buffer.alloc(2);
    length.writeUInt16BE(note.length);
    made.write('history/000', Buffer.concat([old, length, note]));
    const report = await verifyVault({ vault: made.vault, vkey: made.vkey });
    assert.match(summary(report), /^history\/000: rolled back: it holds the checkpoint of size/);
  });
});

describe('verify of what lies beyond the checkpoint', () => {
  it('names what is of no commit, whatever else lies in staging', async (t) => {
    const made = vaultFor(t);
    made.receive(delivery('one\n'));
    await made.keep();
    const { size } = parseCheckpoint(made.read('checkpoint'));
    const number = String(size + 1).padStart(3, '0');
    const segment = made.files().find((path) => path.startsWith('segment/')) ?? '';
    const planted: [string, Buffer][] = [
      [`segment/${number}.zst`, Buffer.from('noise')],
      [`segment/${number}.zst`, made.read(segment)],
      ['segment/900.zst', Buffer.alloc(0)],
      [`tile/0/000.p/${size + 1}`, Buffer.alloc(32 * (size + 1))],
      [`tile/entries/000.p/${size + 1}`, Buffer.alloc(0)],
      ['tile/3/000.p/1', Buffer.alloc(32)],
      ['history/007', Buffer.alloc(0)],
      ['staging/notes.txt', Buffer.from('x')],
      ['staging/tmp-x', Buffer.from('x')],
      [`staging/${stagingName(size + 1, Buffer.alloc(32))}`, Buffer.alloc(0)],
    ];
    made.write('staging/tmp-1-0-000', Buffer.from('a write that a crash cut short'));
    assert.equal(summary(await made.verify()), '');
    for (const [path, bytes] of planted) {
      mkdirSync(dirname(join(made.vault, path)), { recursive: true });
      writeFileSync(join(made.vault, path), bytes);
      const report = await made.verify();
      rmSync(join(made.vault, path));
      assert.match(summary(report), new RegExp(`^${path.replaceAll('.', '\\.')}: unexpected`), path);
      assert.equal(report.problems.length, 1);
    }
  });

  it('is not in the way of a keeper that goes on', async (t) => {
    const made = await cutShort(t, /^before create .*\/staging\/tmp-[0-9]+-staging-/);
    assert.equal(summary(await made.verify()), '');
    const appender = await openAppender({ vault: made.vault, keys: made.keys, clock: made.clock });
    appender.close();
    assert.equal((await made.verify()).uncommitted, 0);
  });
});

describe('findings', () => {
  it('know every file that was blamed, also beyond those that are listed', () => {
    const findings = newFindings();
    for (let i = 0; i < 1500; i++) findings.add({ file: `file ${i}`, what: 'x' });
    assert.equal(findings.problems.length + findings.more(), 1500);
    assert.equal(findings.more(), 500);
    assert.ok(findings.has('file 1499'));
    assert.ok(!findings.has('file 1500'));
  });
});
