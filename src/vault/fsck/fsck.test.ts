import assert from 'node:assert/strict';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { exportVault } from '#vault/export';
import {
  beats,
  delivery,
  linesOf,
  openTest,
  vaultFor,
  withCode,
  type TestVault,
} from '../testing/test-vault.ts';
import { segmentPath } from '#vault/tree';
import { done, expire, filesWith, redact, twoBatches } from '../testing/amended-vault.ts';
import { ask } from '../testing/asking.ts';
import { waitingFor } from './waiting.ts';
import { inspectState, type Condition } from './inspect.ts';
import { restoreFrom, type Restored } from './restore.ts';

const filled = async (t: TestContext): Promise<TestVault> => {
  const made = vaultFor(t);
  for (const text of ['one\ntwo\n', 'three\n']) {
    made.receive(delivery(text));
    await made.keep();
  }
  return made;
};

const bad = (made: TestVault): string[] =>
  inspectState(made)
    .conditions.filter(({ grade }) => grade === 'bad')
    .map(({ what, finding }) => `${what}: ${finding}`);

const find = (made: TestVault, what: string): Condition | undefined =>
  inspectState(made).conditions.find((condition) => condition.what === what);

const copyOf = async (made: TestVault): Promise<string> => {
  const target = join(made.root, 'copy');
  await exportVault({ vault: made.vault, vkey: made.vkey, target });
  return target;
};

const restoring = ({ vault, keys, vkey }: TestVault, copy: string): Promise<Restored> =>
  restoreFrom({ vault, keys, vkey, copy });

const mend = async (made: TestVault, copy: string): Promise<string[]> => {
  const { files } = await restoring(made, copy);
  assert.deepEqual((await made.verify()).problems, []);
  return files.sort();
};

describe('inspection of a state directory', () => {
  it('finds a healthy one fit, and says how much waits', async (t) => {
    const made = await filled(t);
    assert.deepEqual(bad(made), []);
    made.receive(delivery('four\n'));
    assert.match(find(made, 'intake')?.finding ?? '', /^[1-9][0-9]* bytes in 1 files wait/);
    assert.match(find(made, 'vault/segment')?.finding ?? '', /^[2-9] segments are there/);
  });

  it('names what would keep the keeper from going on, with what to do', async (t) => {
    const made = await filled(t);
    chmodSync(join(made.keys, 'signer.key'), 0o640);
    assert.match(bad(made).join(), /signer.key: mode 640/);
    chmodSync(join(made.keys, 'signer.key'), 0o600);
    const segment = made.files().find((file) => file.startsWith('segment/')) ?? '';
    const bytes = made.read(segment);
    truncateSync(join(made.vault, segment), 5);
    assert.match(bad(made).join(), new RegExp(`${segment} has 5 bytes`));
    unlinkSync(join(made.vault, segment));
    assert.match(bad(made).join(), new RegExp(`${segment} is missing`));
    made.write(segment, bytes);
    writeFileSync(join(made.keys, 'contradiction'), 'x');
    assert.match(bad(made).join(), /contradiction/);
    rmSync(join(made.keys, 'contradiction'));
    made.write('checkpoint', made.read('checkpoint').subarray(1));
    assert.match(bad(made).join(), /^vault\/checkpoint/);
  });

  it('tells a vault that was put back from keys that were', async (t) => {
    const made = await filled(t);
    const before = join(made.root, 'before');
    for (const part of ['vault', 'keys'])
      cpSync(join(made.root, part), join(before, part), { recursive: true });
    const appender = await openTest(made);
    await appender.commit(beats(1), appender.intake());
    appender.close();
    assert.match(bad({ ...made, vault: join(before, 'vault') }).join(), /vault\/ was put back/);
    assert.match(bad({ ...made, keys: join(before, 'keys') }).join(), /keys\/ was put back/);
  });

  it('calls a copy a copy, and no copy what lost its keys', async (t) => {
    const made = await filled(t);
    const copy = await copyOf(made);
    const places = { vault: join(copy, 'vault'), keys: join(copy, 'keys'), intake: join(copy, 'intake') };
    assert.equal(inspectState(places).verdict, 'copy');
    assert.equal(inspectState(made).verdict, 'fit');
    const sealed = join(made.root, 'signer.cred');
    writeFileSync(sealed, 'x');
    rmSync(join(made.keys, 'signer.key'));
    assert.equal(inspectState(made, [sealed]).verdict, 'fit');
    assert.equal(inspectState(made, []).verdict, 'unfit');
    rmSync(join(made.keys, 'lock'));
    assert.match(bad(made).join(), /keys\/lock: missing/);
    assert.match(bad(made).join(), /keys\/signer.key: missing/);
  });

  it('says that it could not look where this user may not', async (t) => {
    if (process.geteuid?.() !== 0) return t.skip('only root can be another user');
    const made = await filled(t);
    chmodSync(made.root, 0o755);
    chmodSync(join(made.vault, 'checkpoint'), 0o600);
    process.seteuid?.(65_534);
    try {
      const { verdict, conditions } = inspectState(made);
      assert.equal(verdict, 'unknown');
      const graded = Object.groupBy(conditions, ({ grade }) => grade);
      assert.deepEqual(graded.bad, undefined);
      assert.match(graded.unseen?.[0]?.remedy ?? '', /run this as root/);
    } finally {
      process.seteuid?.(0);
    }
  });

  it('counts what the keeper has not taken', async (t) => {
    const made = await filled(t);
    assert.deepEqual(waitingFor(made), { kind: 'seen', bytes: 0, files: 0, damaged: 0 });
    const waiting = delivery('four\n');
    made.receive(waiting);
    assert.deepEqual(waitingFor(made), { kind: 'seen', bytes: waiting.length, files: 1, damaged: 0 });
    rmSync(join(made.keys, 'lock'));
    assert.equal(waitingFor(made).kind, 'unseen');
  });

  it('throws for nothing: no directory at all, or garbage in place of every file', async (t) => {
    const made = await filled(t);
    for (const file of made.files()) made.write(file, Buffer.from('garbage\n'));
    assert.ok(bad(made).length > 0);
    rmSync(made.vault, { recursive: true });
    rmSync(made.keys, { recursive: true });
    rmSync(made.intake, { recursive: true });
    assert.ok(bad(made).length > 0);
  });
});

describe('restoring from a copy', () => {
  it('brings back what is missing or changed, and nothing else', async (t) => {
    const made = await filled(t);
    const copy = await copyOf(made);
    const [segment = '', other = ''] = made.files().filter((file) => file.startsWith('segment/'));
    unlinkSync(join(made.vault, segment));
    made.write(other, Buffer.from('changed'));
    rmSync(join(made.vault, 'history'), { recursive: true });
    assert.deepEqual(await mend(made, copy), ['history/000', segment, other].sort());
    assert.deepEqual(linesOf(made), ['one', 'two', 'three']);
    await made.keep();
  });

  it('brings a vault that was put back up to what the signer remembers, across full tiles', async (t) => {
    const made = await filled(t);
    const before = join(made.root, 'before');
    cpSync(made.vault, before, { recursive: true });
    const appender = await openTest(made);
    await appender.commit(beats(256), appender.intake());
    appender.close();
    const copy = await copyOf(made);
    rmSync(made.vault, { recursive: true });
    cpSync(before, made.vault, { recursive: true });
    await assert.rejects(openTest(made), withCode('rolled-back'));
    await mend(made, copy);
    await made.keep();
    assert.deepEqual((await made.verify()).problems, []);
  });

  it('waits for nobody: refuses while a keeper runs, and where there is no copy', async (t) => {
    const made = await filled(t);
    const copy = await copyOf(made);
    const appender = await openTest(made);
    await assert.rejects(restoring(made, copy), withCode('in-use'));
    appender.close();
    mkdirSync(join(made.root, 'empty'));
    await assert.rejects(restoring(made, join(made.root, 'empty')), withCode('absent'));
  });

  it('never touches an intact vault, whatever the copy is', async (t) => {
    const made = await filled(t);
    const before = made.files().map((file) => [file, made.read(file).toString('base64')]);
    const copy = await copyOf(made);
    for (const file of ['checkpoint', 'tile/0/000.p/3']) writeFileSync(join(copy, 'vault', file), 'garbage');
    mkdirSync(join(copy, 'vault', 'tile', '1'));
    writeFileSync(join(copy, 'vault', 'tile', '1', '000'), Buffer.alloc(8192));
    const { wasDamaged, files } = await restoring(made, copy);
    assert.deepEqual([wasDamaged, files], [false, []]);
    assert.deepEqual(
      made.files().map((file) => [file, made.read(file).toString('base64')]),
      before,
    );
  });

  it('uses nothing of a copy that is not intact, or of another log', async (t) => {
    const made = await filled(t);
    const copy = await copyOf(made);
    const segment = made.files().find((file) => file.startsWith('segment/')) ?? '';
    unlinkSync(join(made.vault, segment));
    const bytes = readFileSync(join(copy, 'vault', 'history/000'));
    writeFileSync(join(copy, 'vault', 'history/000'), Buffer.concat([bytes, Buffer.from('x')]));
    await assert.rejects(restoring(made, copy), withCode('corrupt'));
    const stranger = await filled(t);
    await assert.rejects(restoring(made, await copyOf(stranger)), withCode('corrupt'));
    assert.ok(!made.files().includes(segment));
    writeFileSync(join(copy, 'vault', 'history/000'), bytes);
    assert.deepEqual(await mend(made, copy), [segment]);
  });

  it('goes no further than the signer remembers, though the copy does', async (t) => {
    const made = await filled(t);
    const then = made.copy();
    t.after(() => then.remove());
    const appender = await openTest(made);
    await appender.commit(beats(300), appender.intake());
    appender.close();
    const copy = await copyOf(made);
    const lost = then.files().filter((file) => !file.startsWith('staging/'));
    for (const file of lost) unlinkSync(join(then.vault, file));
    assert.deepEqual(await mend(then, copy), lost.sort());
    await then.keep();
  });

  it('refuses a copy that contradicts what the signer remembers', async (t) => {
    const made = await filled(t);
    const fork = made.copy();
    t.after(() => fork.remove());
    for (const [vault, count] of [
      [made, 2],
      [fork, 3],
    ] as const) {
      const appender = await openTest(vault);
      await appender.commit(beats(count), appender.intake());
      appender.close();
    }
    const copy = await copyOf(fork);
    unlinkSync(join(made.vault, 'history/000'));
    await assert.rejects(restoring(made, copy), withCode('fork'));
    assert.ok(!made.files().includes('history/000'));
  });

  it('never brings back what expired or was redacted, and removes it where an older state did', async (t) => {
    const made = vaultFor(t);
    await twoBatches(made);
    const old = await copyOf(made);
    const then = made.copy();
    t.after(() => then.remove());
    const redacted = done(await ask(made, redact(1, 2))).entry;
    done(await ask(made, expire(3, 4)));
    const newer = join(made.root, 'newer');
    await exportVault({ vault: made.vault, vkey: made.vkey, target: newer });
    // The older copy has both as they were, and the vault has lost a bundle and the redacted revision.
    const bundle = `tile/entries/000.p/${(await made.verify()).size}`;
    const revision = segmentPath(1, redacted);
    unlinkSync(join(made.vault, revision));
    unlinkSync(join(made.vault, bundle));
    assert.deepEqual((await restoring(made, old)).files, []);
    assert.deepEqual(await mend(made, newer), [revision, bundle].sort());
    assert.deepEqual(filesWith({ ...made, root: made.vault }, 'hunter2'), []);
    // The whole vault as it was before, under the signer of now.
    rmSync(made.vault, { recursive: true });
    cpSync(then.vault, made.vault, { recursive: true });
    const { removed, report } = await restoring(made, newer);
    assert.deepEqual(report.problems, []);
    assert.deepEqual(removed.sort(), [segmentPath(1), segmentPath(3)]);
    assert.deepEqual(filesWith({ ...made, root: made.vault }, 'hunter2'), []);
    await made.keep();
  });

  it('leaves as much as it can where the copy is older than the vault', async (t) => {
    const made = await filled(t);
    const copy = await copyOf(made);
    made.receive(delivery('four\n'));
    await made.keep();
    const segments = made.files().filter((file) => file.startsWith('segment/'));
    unlinkSync(join(made.vault, 'history/000'));
    for (const segment of segments) unlinkSync(join(made.vault, segment));
    const { files, report } = await restoring(made, copy);
    assert.deepEqual(files.sort(), ['history/000', ...segments.slice(0, 2)].sort());
    assert.ok(report.problems.some(({ file }) => file === segments[2]));
  });

  it('follows no link in the vault', async (t) => {
    const made = await filled(t);
    const copy = await copyOf(made);
    const victim = join(made.root, 'victim');
    mkdirSync(victim);
    rmSync(join(made.vault, 'history'), { recursive: true });
    symlinkSync(victim, join(made.vault, 'history'));
    await assert.rejects(restoring(made, copy), withCode('refused'));
    assert.deepEqual(readdirSync(victim), []);
  });
});
