import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openMergePause } from './merge-pause.ts';

const openWatched = (isBuilding = false): { pause: ReturnType<typeof openMergePause>; said: string[] } => {
  const said: string[] = [];
  const engine = {
    letMerge: async (_table: unknown, merges: 'wait' | 'go on') => {
      said.push(merges);
    },
  };
  return { pause: openMergePause(engine, () => isBuilding), said };
};

test('merges wait through a backlog, also where one of its inserts is not full', async () => {
  const { pause, said } = openWatched();
  for (const size of ['partial', 'full', 'full', 'partial', 'full', 'partial'] as const)
    await pause.inserted(size);
  assert.deepEqual(said, ['wait']);
  await pause.inserted('partial');
  assert.deepEqual(said, ['wait', 'go on']);
});

test('merges go on when nothing is left, after many inserts all the same, and while the index is being built', async () => {
  const ended = openWatched();
  await ended.pause.inserted('full');
  await ended.pause.end();
  assert.deepEqual(ended.said, ['wait', 'go on']);

  const bursts = openWatched();
  for (let burst = 0; burst < 3; burst += 1) {
    for (let insert = 0; insert < 20; insert += 1) await bursts.pause.inserted('full');
    await bursts.pause.inserted('partial');
    await bursts.pause.end();
  }
  assert.deepEqual(bursts.said, ['wait', 'go on', 'wait', 'go on', 'wait', 'go on']);

  const long = openWatched();
  for (let insert = 0; insert < 40; insert += 1) await long.pause.inserted('full');
  assert.deepEqual(long.said, ['wait', 'go on']);

  const building = openWatched(true);
  await building.pause.inserted('full');
  assert.deepEqual(building.said, []);
});
