import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { sampleHit } from '../../scripted-search.ts';
import { eventsOf, startTestConsole } from '../../test-console.ts';

test('lines and losses of the tail come as events', async (t) => {
  const { open, search } = await startTestConsole(t);
  const response = await open('/api/tail?query=sshd');
  t.after(() => response.destroy());
  assert.equal(response.statusCode, 200);
  assert.match(String(response.headers['content-type']), /^text\/event-stream/);
  assert.equal(response.headers['cache-control'], 'no-store');
  const events = eventsOf(response);

  search.toTails(sampleHit({ address: '9:1', message: 'line\nbreak \u202e\u2028' }));
  const first = await events.next();
  assert.equal(first.name, 'hit');
  assert.equal(JSON.parse(first.data).message, 'line\\x0abreak \\u202e\\u2028');

  search.toTails({ dropped: 12 });
  assert.deepEqual(await events.next(), { name: 'dropped', data: '{"dropped":12}' });

  search.toTails(sampleHit({ address: '9:2' }));
  assert.equal(JSON.parse((await events.next()).data).address, '9:2');
});

test('when search ends the tail, the page is told before the stream ends', async (t) => {
  const { open, search } = await startTestConsole(t);
  const response = await open('/api/tail');
  const events = eventsOf(response);
  search.toTails(sampleHit({}));
  await events.next();
  await search.stop();
  const last = await events.next();
  assert.equal(last.name, 'away');
  assert.equal(JSON.parse(last.data).error.code, 'search-away');
  await assert.rejects(events.next(), /the stream ended/);
});

test('a page that goes away frees its tail at search', async (t) => {
  const { open, search } = await startTestConsole(t);
  const response = await open('/api/tail');
  search.toTails(sampleHit({}));
  await eventsOf(response).next();
  assert.equal(search.tails(), 1);
  response.destroy();
  for (let tries = 0; search.tails() > 0 && tries < 3000; tries += 1) await wait(20);
  assert.equal(search.tails(), 0);
});

test('a bad query is an HTTP status, not a stream; so are too many tails', async (t) => {
  const { ask, open, search } = await startTestConsole(t);
  assert.equal((await ask('/api/tail?query=a&query=b')).status, 400);
  assert.equal((await ask('/api/tail?other=1')).status, 400);
  search.refuse(400, { code: 'bad-query', message: 'no', column: 0, suggestion: null });
  assert.equal((await ask('/api/tail?query=(')).status, 400);
  search.refuse(200, null);

  const open32 = await Promise.all(Array.from({ length: 32 }, () => open('/api/tail')));
  assert.ok(
    open32.every((response) => response.statusCode === 200),
    'refused tails do not count',
  );
  assert.equal((await ask('/api/tail')).status, 429);
  for (const response of open32) response.destroy();
});
