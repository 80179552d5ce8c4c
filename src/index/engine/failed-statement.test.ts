import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEngine } from './embedded.ts';

test('what a failed statement had given is not the answer of the next one', async () => {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-engine-'));
  const engine = await openEngine({ path });
  try {
    for (const lane of ['interactive', 'readonly'] as const) {
      const failing = 'SELECT number, throwIf(number = 300000) FROM numbers(1000000)';
      await assert.rejects(engine.rows(lane, failing), { name: 'IndexError' });
      assert.deepEqual(await engine.rows(lane, 'SELECT 1 AS one'), [{ one: 1 }]);
      await assert.rejects(engine.binary(lane, failing), { name: 'IndexError' });
      assert.deepEqual([...(await engine.binary(lane, 'SELECT toUInt8(7)'))], [7]);
    }
  } finally {
    await engine.close();
    rmSync(path, { recursive: true, force: true });
  }
});
