import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleHit } from '../../scripted-search.ts';
import { startTestConsole } from '../../test-console.ts';

test('counts come with what the answer is worth, hostile text as visible escapes', async (t) => {
  const { ask, search } = await startTestConsole(t);
  search.hits.push(sampleHit({ host: 'a\u202eb' }), sampleHit({ host: 'a\u202eb', severity: 'err' }));
  const { status, body } = await ask('/api/counts', {
    method: 'POST',
    body: '{"query":"","by":["host"],"bars":10}',
  });
  assert.equal(status, 200);
  const { counts, answer } = JSON.parse(body);
  assert.deepEqual(counts.groups, [{ values: ['a\\u202eb'], count: 2 }]);
  assert.deepEqual(counts.histogram.bars, [{ from: '2026-05-12T03:00:00.000000Z', count: 2, errors: 1 }]);
  assert.equal(answer.count, 2);
  assert.equal(answer.integrity.verdict, 'unaltered');
});

test('a query that cannot be read, and a request that is none, are refused', async (t) => {
  const { ask, search } = await startTestConsole(t);
  assert.equal((await ask('/api/counts', { method: 'POST', body: '{"query":"","bars":501}' })).status, 400);
  search.refuse(400, { code: 'bad-query', message: 'no', column: 1, suggestion: null });
  const { status, body } = await ask('/api/counts', { method: 'POST', body: '{"query":"("}' });
  assert.equal(status, 400);
  assert.equal(JSON.parse(body).error.column, 1);
});
