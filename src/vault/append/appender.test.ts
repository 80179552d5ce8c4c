import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { encodeLock, parseLock } from '#vault/checkpoint';
import { openAppender } from './appender.ts';
import { createVault } from './create.ts';
import { assertIntact, delivery, openTest, vaultFor, withCode } from '../testing/test-vault.ts';

describe('opening', () => {
  it('refuses a vault that was put back to an older state', async (t) => {
    const made = vaultFor(t);
    await made.keep();
    cpSync(made.vault, join(made.root, 'old'), { recursive: true });
    made.receive(delivery('later\n'));
    await made.keep();
    rmSync(made.vault, { recursive: true });
    cpSync(join(made.root, 'old'), made.vault, { recursive: true });
    await assert.rejects(openTest(made), withCode('rolled-back'));
    const report = await made.verify();
    assert.match(
      report.problems.map(({ file, what }) => `${file}: ${what}`).join('\n'),
      /^checkpoint: rolled back/,
    );
  });
  it('refuses a signer that was put back to an older state', async (t) => {
    const made = vaultFor(t);
    await made.keep();
    cpSync(made.keys, join(made.root, 'old'), { recursive: true });
    await made.keep();
    cpSync(join(made.root, 'old'), made.keys, { recursive: true });
    await assert.rejects(openTest(made), withCode('signer-behind'));
  });
  it('refuses a fork: the same size, another root', async (t) => {
    const made = vaultFor(t);
    cpSync(made.vault, join(made.root, 'old', 'vault'), { recursive: true });
    cpSync(made.keys, join(made.root, 'old', 'keys'), { recursive: true });
    await made.keep();
    cpSync(made.vault, join(made.root, 'one'), { recursive: true });
    for (const part of ['vault', 'keys']) {
      rmSync(join(made.root, part), { recursive: true });
      cpSync(join(made.root, 'old', part), join(made.root, part), { recursive: true });
    }
    await made.keep();
    rmSync(made.vault, { recursive: true });
    cpSync(join(made.root, 'one'), made.vault, { recursive: true });
    await assert.rejects(openTest(made), withCode('fork'));
    assert.ok(!(await made.verify()).ok);
  });
  it('never makes a vault implicitly, and never over another', async (t) => {
    const made = vaultFor(t);
    assert.throws(
      () => createVault({ vault: made.vault, keys: made.keys, clock: made.clock }),
      withCode('exists'),
    );
    rmSync(made.vault, { recursive: true });
    await assert.rejects(openTest(made), withCode('absent'));
    mkdirSync(made.vault);
    await assert.rejects(openTest(made), withCode('absent'));
    assert.throws(
      () => createVault({ vault: made.vault, keys: made.keys, clock: made.clock }),
      withCode('exists'),
    );
    rmSync(made.keys, { recursive: true });
    await assert.rejects(openTest(made), withCode('absent'));
  });
  it('tells what it may not read from what is missing, and advises nobody to remove that', async (t) => {
    const made = vaultFor(t);
    const refused = (error: unknown): boolean =>
      withCode('unreadable')(error) && error instanceof Error && !/remove both|no vault/.test(error.message);
    const checkpoint = join(made.vault, 'checkpoint');
    const note = made.read('checkpoint');
    rmSync(checkpoint);
    mkdirSync(checkpoint);
    await assert.rejects(openTest(made), refused);
    rmSync(checkpoint, { recursive: true });
    made.write('checkpoint', note);
    if (process.geteuid?.() !== 0) {
      t.diagnostic('not run as another user: that takes root');
      return;
    }
    process.seteuid?.(65_534);
    try {
      await assert.rejects(openTest(made), (error) => refused(error) && /EACCES.*chown/.test(String(error)));
    } finally {
      process.seteuid?.(0);
    }
  });
  it('refuses a vault without its keys, and one with another key', async (t) => {
    const made = vaultFor(t);
    await made.keep();
    const other = vaultFor(t);
    for (const name of ['signer.key', 'vault.vkey']) cpSync(join(other.keys, name), join(made.keys, name));
    await assert.rejects(openTest(made), withCode('corrupt'));
    cpSync(join(made.keys, 'lock'), join(other.keys, 'lock'));
    await assert.rejects(openTest(other), withCode('corrupt'));
    writeFileSync(join(other.keys, 'vault.vkey'), readFileSync(join(vaultFor(t).keys, 'vault.vkey')));
    await assert.rejects(openTest(other), withCode('bad-key'));
  });
  it('refuses when what lies at the right edge is not what was signed', async (t) => {
    const made = vaultFor(t);
    made.receive(delivery('one\n'));
    await made.keep();
    for (const path of [
      'tile/0/000.p/2',
      'tile/entries/000.p/2',
      'segment/001.zst',
      'history/000',
      'checkpoint',
    ]) {
      const bytes = made.read(path);
      const changed = Buffer.from(bytes);
      changed[changed.length - 3] = (changed[changed.length - 3] ?? 0) ^ 1;
      made.write(path, changed);
      await assert.rejects(openTest(made), withCode('corrupt'), path);
      made.write(path, bytes);
    }
    await openTest(made);
  });
  it('refuses while another keeper holds the vault, and before it looks at anything', async (t) => {
    const made = vaultFor(t);
    const one = await openTest(made);
    // A commit of the other one under way, as far as can be seen: recovery would remove this.
    made.write('segment/000.zst', Buffer.from('x'));
    made.write('staging/tmp-1-segment-000.zst', Buffer.from('x'));
    const files = made.files();
    await assert.rejects(openTest(made), withCode('in-use'));
    assert.deepEqual(made.files(), files);
    one.close();
    const two = await openTest(made);
    assert.ok(!made.files().includes('segment/000.zst'));
    await two.commit([{ kind: 'heartbeat' }], '');
    await assertIntact(made);
  });
  it('waits for a keeper that is about to end', async (t) => {
    const made = vaultFor(t);
    const one = await openTest(made);
    setTimeout(() => one.close(), 150);
    const two = await openAppender({ vault: made.vault, keys: made.keys, clock: made.clock });
    assert.equal(two.size(), 0);
  });
  it('never lets a segment take the place of another, whoever wrote it', async (t) => {
    const made = vaultFor(t);
    made.receive(delivery('mine\n'));
    let planted = false;
    const theirs = join(made.vault, 'segment', '001.zst');
    await assert.rejects(
      made.keep((what) => {
        if (planted || !what.startsWith('before create') || !what.endsWith('segment-001.zst')) return;
        planted = true;
        writeFileSync(theirs, 'theirs');
      }),
      withCode('other-writer'),
    );
    assert.ok(planted);
    assert.equal(readFileSync(theirs, 'utf8'), 'theirs');
    assert.equal(made.read('checkpoint').toString().split('\n')[1], '0', 'nothing was signed');
  });
  it('notices a lock record that somebody else wrote', async (t) => {
    const made = vaultFor(t);
    const one = await openTest(made);
    const file = join(made.keys, 'lock');
    const { note } = parseLock(readFileSync(file));
    writeFileSync(file, encodeLock({ intake: '', note }));
    await assert.rejects(one.commit([{ kind: 'heartbeat' }], ''), withCode('other-writer'));
    await assertIntact(made);
  });
  it('refuses a lock record of which a byte was changed', async (t) => {
    const made = vaultFor(t);
    const file = join(made.keys, 'lock');
    const bytes = readFileSync(file);
    const { note } = parseLock(bytes);
    assert.ok(encodeLock({ intake: '', note }).length < bytes.length);
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeFileSync(file, changed);
      await assert.rejects(openTest(made), withCode('corrupt'), `byte ${at}`);
    }
  });
});
