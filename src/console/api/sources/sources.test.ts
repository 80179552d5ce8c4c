import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleHit } from '../../scripted-search.ts';
import { startTestConsole } from '../../test-console.ts';

test('sources come from search, with their names made visible', async (t) => {
  const { ask, search } = await startTestConsole(t);
  search.hits.push(
    sampleHit({ app: 'ev\u202eil', host: null }),
    sampleHit({ app: 'ev\u202eil', host: null }),
  );
  const { status, body } = await ask('/api/sources');
  assert.equal(status, 200);
  const [source] = JSON.parse(body);
  assert.equal(source.app, 'ev\\u202eil');
  assert.equal(source.host, null);
  assert.equal(source.lines, 2);

  await search.stop();
  assert.equal((await ask('/api/sources')).status, 503);
});
