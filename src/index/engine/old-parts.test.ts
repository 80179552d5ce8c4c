import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { openEngine } from './embedded.ts';
import { createTables, tables } from '../schema.ts';

it('deletes the parts that a merge replaced, and no line', async () => {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-index-'));
  const engine = await openEngine({ path });
  const one = async (sql: string): Promise<number> =>
    Number((await engine.rows('background', sql))[0]?.['n'] ?? 0);
  try {
    await createTables(engine);
    for (const table of ['lines', 'progress']) {
      await engine.run('background', `ALTER TABLE ${table} MODIFY SETTING old_parts_lifetime = 0`);
      for (const entry of [1, 2])
        await engine.run('background', `INSERT INTO ${table} (entry) VALUES (${entry})`);
      await engine.run('background', `OPTIMIZE TABLE ${table} FINAL`);
    }
    const old = 'SELECT count() AS n FROM system.parts WHERE NOT active';
    assert.ok((await one(old)) >= 4);
    await engine.deleteOldParts(tables);
    assert.equal(await one(old), 0);
    assert.equal(await one('SELECT count() AS n FROM lines'), 2);
    assert.equal(await one('SELECT count() AS n FROM progress'), 1);
  } finally {
    await engine.close();
    rmSync(path, { recursive: true, force: true });
  }
});
