import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEngine } from './embedded.ts';
import { giveBack, waitForRoom, watchRoom } from './room.ts';

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

test('also between inserts, when the process comes near its bound, and no more than twice a second', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const ran: string[] = [];
  let resident = 900;
  const stop = watchRoom(
    {
      run: async (lane, sql) => {
        ran.push(`${lane} ${sql}`);
      },
    },
    512 * mebibyte,
    () => resident * mebibyte,
  );
  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 100) {
      t.mock.timers.tick(100);
      await Promise.resolve();
    }
  };
  await pass(1000);
  assert.deepEqual(ran, []);
  resident = 1000;
  await pass(1000);
  assert.deepEqual(
    ran,
    Array.from({ length: 2 }, () => 'interactive SYSTEM JEMALLOC PURGE'),
  );
  await stop();
  await pass(1000);
  assert.equal(ran.length, 2);
});
