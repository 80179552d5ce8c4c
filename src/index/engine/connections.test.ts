import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEngine } from './embedded.ts';

test('a search waits for no heavy one as long as a connection is free, and closing waits for all', async () => {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-index-'));
  const engine = await openEngine({ path: root });
  const ended: string[] = [];
  const ask = async (name: string, sql: string): Promise<void> => {
    await engine.rows('interactive', sql);
    ended.push(name);
  };
  const asked = [
    ...Array.from({ length: 7 }, () => ask('slow', 'SELECT sleep(2)')),
    ...Array.from({ length: 9 }, () => ask('quick', 'SELECT 1')),
  ];
  await Promise.all([engine.close(), engine.close()]);
  await Promise.all(asked);
  rmSync(root, { recursive: true });
  assert.deepEqual(ended, [...Array<string>(9).fill('quick'), ...Array<string>(7).fill('slow')]);
});
