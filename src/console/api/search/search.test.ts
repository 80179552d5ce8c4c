import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleHit } from '../../scripted-search.ts';
import { startTestConsole } from '../../test-console.ts';

const lines = (body: string) =>
  body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

test('a search brings hits, then the answer', async (t) => {
  const { ask, search } = await startTestConsole(t);
  search.hits.push(
    sampleHit({ address: '3:1', message: 'one' }),
    sampleHit({ address: '3:2', message: 'two' }),
  );
  const { status, headers, body } = await ask('/api/search', { method: 'POST', body: '{"query":"two"}' });
  assert.equal(status, 200);
  assert.match(String(headers['content-type']), /^application\/x-ndjson/);
  const [hit, answer, ...more] = lines(body);
  assert.deepEqual(hit, sampleHit({ address: '3:2', message: 'two' }));
  assert.equal(answer.answer.count, 1);
  assert.deepEqual(more, []);
});

test('hostile text arrives as visible escapes, its bytes exactly', async (t) => {
  const { ask, search } = await startTestConsole(t);
  const raw = Buffer.from([0x1b, 0x5b, 0x32, 0x4a, 0xff, 0x00]).toString('base64');
  const hostile = '<script>alert(1)</script>\u001b[2J\u202egpj.exe\u2066\u0000\u0085\r\n\ttail';
  search.hits.push(
    sampleHit({
      message: hostile,
      host: 'a\u202eb',
      app: 'c\u001bd',
      fields: { 'k\u0007': 'v\u200b\nw\r' },
      raw,
    }),
  );
  const { body } = await ask('/api/search', { method: 'POST', body: '{"query":""}' });
  assert.doesNotMatch(body, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069]/);
  const [hit] = lines(body);
  assert.equal(
    hit.message,
    '<script>alert(1)</script>\\x1b[2J\\u202egpj.exe\\u2066\\x00\\x85\\x0d\\x0a\ttail',
  );
  assert.equal(hit.host, 'a\\u202eb');
  assert.equal(hit.app, 'c\\x1bd');
  assert.deepEqual(hit.fields, { 'k\\x07': 'v\\u200b\nw\\x0d' });
  assert.equal(hit.raw, raw);
});

test('what an answer says of itself arrives with visible escapes too', async (t) => {
  const { ask, search } = await startTestConsole(t);
  search.freshness = { verdict: 'unknown', detail: 'nobody heard \u202ewitness\u001b[2J' };
  const body = '{"query":""}';
  const [{ answer }] = lines((await ask('/api/search', { method: 'POST', body })).body);
  assert.equal(answer.freshness.detail, 'nobody heard \\u202ewitness\\x1b[2J');
  const counted = await ask('/api/counts', { method: 'POST', body });
  assert.deepEqual(JSON.parse(counted.body).answer.freshness, answer.freshness);
});

test('a query that search cannot read comes back with its column and suggestion', async (t) => {
  const { ask, search } = await startTestConsole(t);
  search.refuse(400, {
    code: 'bad-query',
    message: 'no such field \u001b[31m',
    column: 4,
    suggestion: 'app:sshd',
  });
  const { status, body } = await ask('/api/search', { method: 'POST', body: '{"query":"foo bar:"}' });
  assert.equal(status, 400);
  const error = { code: 'bad-query', message: 'no such field \\x1b[31m', column: 4, suggestion: 'app:sshd' };
  assert.deepEqual(JSON.parse(body), { error });
});

test('what is not a search request is refused before search hears of it', async (t) => {
  const { ask, search } = await startTestConsole(t);
  search.refuse(500, {
    code: 'internal',
    message: 'search must not be asked',
    column: null,
    suggestion: null,
  });
  const cases = [
    { body: '{"query":7}', status: 400 },
    { body: '{"query":"","limit":5001}', status: 400 },
    { body: '{"query":"","limit":-1}', status: 400 },
    { body: '{"query":"","sql":"SELECT 1"}', status: 400 },
    { body: 'not JSON', status: 400 },
    { body: JSON.stringify({ query: 'x'.repeat(10_001) }), status: 400 },
    { body: JSON.stringify({ query: 'x'.repeat(70_000) }), status: 413 },
  ];
  for (const { body, status } of cases) {
    const answer = await ask('/api/search', { method: 'POST', body });
    assert.equal(answer.status, status, body.slice(0, 40));
    const { error } = JSON.parse(answer.body);
    assert.equal(error.code, 'bad-request');
    assert.ok(error.message.length > 0);
  }
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    const answer = await ask('/api/search', {
      method: 'POST',
      body: '{"query":""}',
      headers: { 'content-type': type },
    });
    assert.equal(answer.status, 415, type);
  }
});

test('an answer that breaks off says so in its last line', async (t) => {
  const { ask, search } = await startTestConsole(t);
  for (let line = 1; line <= 20; line += 1) search.hits.push(sampleHit({ address: `1:${line}` }));
  search.breakOffAfter(10);
  const { body } = await ask('/api/search', { method: 'POST', body: '{"query":""}' });
  const last = lines(body).at(-1);
  assert.equal(last.error.code, 'search-away');
  search.breakOffAfter(null);
  const whole = await ask('/api/search', { method: 'POST', body: '{"query":""}' });
  assert.equal(lines(whole.body).at(-1).answer.count, 20);
});

test('while search is away the console says so', async (t) => {
  const { ask, search } = await startTestConsole(t);
  await search.stop();
  const { status, body } = await ask('/api/search', { method: 'POST', body: '{"query":""}' });
  assert.equal(status, 503);
  assert.equal(JSON.parse(body).error.code, 'search-away');
});
