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

test('also between inserts, when the process comes near its bound, and less often where that is in vain', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const ran: string[] = [];
  let resident = 880;
  let after = 880;
  const stop = watchRoom(
    {
      run: async (lane, sql) => {
        ran.push(`${lane} ${sql}`);
        resident = after;
      },
    },
    512 * mebibyte,
    () => resident * mebibyte,
  );
  /** How often it was purged within so many looks, each of which finds as much as `taken`. */
  const purgedIn = async (looks: number, taken: number): Promise<number> => {
    const before = ran.length;
    for (let look = 0; look < looks; look += 1) {
      resident = taken;
      t.mock.timers.tick(100);
      await new Promise(setImmediate);
    }
    return ran.length - before;
  };
  assert.equal(await purgedIn(20, 880), 0);
  assert.equal(await purgedIn(12, 1000), 2);
  assert.ok(ran.every((one) => one === 'interactive SYSTEM JEMALLOC PURGE'));
  await purgedIn(10, 880);
  after = 1000;
  assert.equal(await purgedIn(50, 1000), 1);
  stop();
  after = 880;
  assert.equal(await purgedIn(200, 1000), 0);
});
