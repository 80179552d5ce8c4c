import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { IndexError } from '../errors.ts';
import { createTables, progress } from '../schema.ts';
import { progressRow } from '../testing/progress-row.ts';
import { openEngine } from './embedded.ts';
import type { Engine } from './engine.ts';

describe('rows that wait in files to be inserted', () => {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-staged-'));
  const incoming = join(path, 'incoming');
  let engine: Engine;

  before(async () => {
    engine = await openEngine({ path });
    await createTables(engine);
  });
  after(async () => {
    await engine.close();
    rmSync(path, { recursive: true, force: true });
  });

  const count = async (): Promise<number> =>
    Number((await engine.rows('background', 'SELECT count() AS n FROM progress'))[0]?.['n']);

  it('outlive a second indexer that is started by mistake', async () => {
    const staged = await engine.stage(progress, [progressRow(1)]);
    const second = spawnSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', openAgain],
      { env: { ...process.env, HOLDFAST_TEST_INDEX: path }, encoding: 'utf8', timeout: 60_000 },
    );
    assert.equal(second.stdout.trim(), 'engine-open', second.stderr);
    await staged.insert();
    assert.equal(await count(), 1);
    assert.deepEqual(readdirSync(incoming), []);
  });

  it('are missed where their file is gone, and not taken for none', async () => {
    const staged = await engine.stage(progress, [progressRow(2)]);
    for (const file of readdirSync(incoming)) rmSync(join(incoming, file));
    await assert.rejects(staged.insert(), IndexError);
    assert.equal(await count(), 1);
  });

  it('are forgotten at the next start', async () => {
    await engine.close();
    writeFileSync(join(incoming, 'lines-1.rows'), 'left by one that was killed');
    engine = await openEngine({ path });
    assert.deepEqual(readdirSync(incoming), []);
    assert.equal(await count(), 1);
  });
});

const openAgain = `
  const { openEngine } = await import(${JSON.stringify(import.meta.resolve('./embedded.ts'))});
  await openEngine({ path: process.env.HOLDFAST_TEST_INDEX }).then(
    () => console.log('opened'),
    (error) => console.log(error.code),
  );
  process.exit(0);
`;
