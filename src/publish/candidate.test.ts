import assert from 'node:assert/strict';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { micros } from '#base/clock';
import { parseCheckpoint } from '#vault/checkpoint';
import { beats, openTest } from '../vault/testing/test-vault.ts';
import { grow, serve, type Served } from './testing/served.ts';

const offered = async ({ get }: Served): Promise<number> => {
  const { status, body } = await get('/candidate');
  assert.equal(status, 200);
  return parseCheckpoint(body).size;
};

const standing = async (t: TestContext): Promise<{ served: Served; pass(seconds: number): void }> => {
  let elapsed = 5000;
  const clock = { now: () => micros(0), elapsed: () => elapsed };
  const served = await serve(t, { clock });
  return { served, pass: (seconds) => void (elapsed += seconds * 1000) };
};

test('the candidate is one for all until it is witnessed and a minute old, or for two minutes', async (t) => {
  const { served, pass } = await standing(t);
  await grow(served.made, 3);
  assert.equal(await offered(served), 3);
  await grow(served.made, 4);
  pass(59);
  assert.equal(await offered(served), 3);
  pass(60);
  assert.equal(await offered(served), 3, 'not witnessed');
  pass(1);
  assert.equal(await offered(served), 7);
  writeFileSync(join(served.made.vault, 'checkpoint.witnessed'), served.made.read('checkpoint'));
  await grow(served.made, 5);
  pass(59);
  assert.equal(await offered(served), 7, 'not a minute old');
  pass(1);
  assert.equal(await offered(served), 12);
  assert.equal(parseCheckpoint((await served.get('/checkpoint')).body).size, 12);
});

test('a candidate that the log does not contain any more, or of a key that was replaced, makes way at once', async (t) => {
  const { served } = await standing(t);
  const { made } = served;
  await grow(made, 3);
  cpSync(made.root, `${made.root}-older`, { recursive: true });
  t.after(() => rmSync(`${made.root}-older`, { recursive: true }));
  await grow(made, 4);
  assert.equal(await offered(served), 7);
  for (const part of ['vault', 'keys']) {
    rmSync(join(made.root, part), { recursive: true });
    cpSync(join(`${made.root}-older`, part), join(made.root, part), { recursive: true });
  }
  assert.equal(await offered(served), 3);
  const appender = await openTest(made);
  await appender.commit(beats(1), appender.intake());
  assert.equal(await offered(served), 3);
  await appender.commit([{ kind: 'key', reason: 'yearly' }], appender.intake());
  assert.equal(await offered(served), 5, 'both keys have signed it');
  await appender.commit(beats(1), appender.intake());
  assert.equal(await offered(served), 5);
  appender.close();
});
