import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleSender } from '../../scripted-search.ts';
import { startTestConsole } from '../../test-console.ts';

test('senders come from search, with their names made visible', async (t) => {
  const { ask, search } = await startTestConsole(t);
  const last = '2026-05-12T03:00:00.000001Z';
  search.senders.push(
    sampleSender({ names: ['ev\u202eil'], causes: [{ kind: 'torn', cause: 'cut\u001b', count: 3, last }] }),
    sampleSender({ sender: null, refused: 7 }),
  );
  const { status, body } = await ask('/api/senders');
  assert.equal(status, 200);
  const [named, unnamed] = JSON.parse(body);
  assert.deepEqual([named.names, named.causes[0].cause], [['ev\\u202eil'], 'cut\\x1b']);
  assert.deepEqual([unnamed.sender, unnamed.refused], [null, 7]);

  await search.stop();
  assert.equal((await ask('/api/senders')).status, 503);
});
