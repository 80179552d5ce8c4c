import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEngine } from './embedded.ts';
import { giveBack, waitForRoom } from './room.ts';

const mebibyte = 1024 ** 2;

test('an insert waits until merges and searches have left half of the memory', async () => {
  const taken = [900, 600, 500, 0];
  let asked = 0;
  await waitForRoom({ rows: () => Promise.resolve([{ value: String(taken[asked++]) }]) }, 1000);
  assert.equal(asked, 3);
});

test('freed memory is given back once the process has much more than the engine may', async () => {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-room-'));
  const engine = await openEngine({ path });
  const ran: string[] = [];
  const watched = {
    run: async (...[lane, sql]: Parameters<typeof engine.run>) => {
      ran.push(sql);
      await engine.run(lane, sql);
    },
  };
  try {
    await giveBack(watched, 512 * mebibyte, () => 800 * mebibyte);
    assert.deepEqual(ran, []);
    await giveBack(watched, 512 * mebibyte, () => 900 * mebibyte);
    assert.deepEqual(ran, ['SYSTEM JEMALLOC PURGE']);
    await engine.run('ingest', ran[0] ?? '');
  } finally {
    await engine.close();
    rmSync(path, { recursive: true });
  }
});
