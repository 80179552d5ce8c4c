import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestLine } from '../index/testing/grown-vault.ts';
import { expire } from '../index/testing/withdrawing.ts';
import { serveVault } from './testing/served-vault.ts';

/** What a receiver says that it lost. @param second of the minute that search goes by */
const lost = (count: number, second: number): TestLine => ({
  raw: JSON.stringify({
    kind: 'loss',
    cause: 'kernel udp drop',
    listener: 'syslog-udp=127.0.0.1:514',
    count,
    time: `2026-05-12T02:59:${String(second).padStart(2, '0')}Z`,
  }),
  listener: 'receiver',
  peer: 'receiver',
  meta: '{"via":"self","host":"web1"}',
});

const plain: TestLine = { raw: '<13>1 2026-05-12T02:00:00Z web1 app - - - ordinary' };

test('what was lost is looked up where there is news of it, and not with each search', async (t) => {
  const served = await serveVault([lost(7, 10)]);
  t.after(() => served.remove());
  const { engine } = served.index;
  const { rows } = engine;
  let looks = 0;
  engine.rows = (lane, sql, parameters) => {
    if (sql.includes("fields['cause']")) looks += 1;
    return rows(lane, sql, parameters);
  };
  /** How many lines are lost, and how often the table was asked for that. */
  const lostIn = async (range = ''): Promise<{ count: number; looks: number }> => {
    looks = 0;
    const { gaps } = (await served.find(range)).answer.completeness;
    return { count: gaps.reduce((sum, { count }) => sum + (count ?? 0), 0), looks };
  };
  assert.deepEqual(await lostIn(), { count: 7, looks: 1 });
  assert.deepEqual(await lostIn(), { count: 7, looks: 0 });
  await served.add([plain]);
  assert.deepEqual(await lostIn(), { count: 7, looks: 0 });
  await served.add([lost(5, 40), plain]);
  assert.deepEqual(await lostIn(), { count: 12, looks: 1 });
  assert.deepEqual(await lostIn('since:2026-05-12T02:59:30Z'), { count: 5, looks: 0 });
  assert.deepEqual(await lostIn('since:2026-05-12T02:59:41Z'), { count: 0, looks: 0 });
  // A loss is put into words within a minute.
  assert.deepEqual(await lostIn('until:2026-05-12T02:58:50Z'), { count: 12, looks: 0 });
  assert.deepEqual(await lostIn('until:2026-05-12T02:58:30Z'), { count: 7, looks: 0 });

  await expire(served.grown, 0, 1);
  await served.add([plain]);
  while (served.index.ledger() === null) await sleep(5);
  const { count } = await lostIn();
  assert.equal(count, 5, 'what the vault has taken away is not told of any more');
  assert.deepEqual(await lostIn(), { count: 5, looks: 0 });
});
