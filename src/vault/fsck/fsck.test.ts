import assert from 'node:assert/strict';
import { chmodSync, cpSync, mkdirSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
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
import { inspectState, type Condition } from './inspect.ts';
import { restoreFrom } from './restore.ts';

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

const named = (made: TestVault) => async (): Promise<ReadonlySet<string>> =>
  new Set((await made.verify()).problems.map(({ file }) => file));

const mend = async (made: TestVault, copy: string): Promise<string[]> => {
  const { files } = await restoreFrom(made, named(made), copy);
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
    await assert.rejects(restoreFrom(made, named(made), copy), withCode('in-use'));
    appender.close();
    mkdirSync(join(made.root, 'empty'));
    await assert.rejects(restoreFrom(made, named(made), join(made.root, 'empty')), withCode('absent'));
  });
});
