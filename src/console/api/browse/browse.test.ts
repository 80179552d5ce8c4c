import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerFor } from '../../scripted-search.ts';
import { startTestConsole } from '../../test-console.ts';

const worth = answerFor(1, { verdict: 'unknown', detail: 'none' });
const time = '2026-05-12T03:00:00.000001Z';

test('the tree has hostile names as visible escapes, and paths that lead there', async (t) => {
  const { ask, search } = await startTestConsole(t);
  const path = '2026-05-12/gull/a\u202eb';
  const branch = {
    path,
    day: '2026-05-12',
    host: 'gull',
    app: 'a\u202eb',
    lines: 1,
    bytes: 9,
    first: time,
    last: time,
  };
  search.answers.set('/browse', () => [branch, worth]);
  const { body } = await ask('/api/browse', { method: 'POST', body: '{"path":"2026-05-12/gull"}' });
  const { branches, answer } = JSON.parse(body);
  assert.deepEqual([branches[0].app, branches[0].path], ['a\\u202eb', path]);
  assert.equal(answer.integrity.verdict, 'unaltered');
});

test('a file comes page by page as its exact bytes, for keeping', async (t) => {
  const { ask, search } = await startTestConsole(t);
  const line = (bytes: Buffer) => ({ address: '1:1', bytes: bytes.toString('base64') });
  const asked: unknown[] = [];
  search.answers.set('/leaf', (body) => {
    asked.push(body);
    const pages = [
      [line(Buffer.from([0x61, 0xff, 0x1b])), { next: 'p2' }],
      [line(Buffer.from('b')), { next: 'p3' }],
      [worth],
    ];
    return pages[asked.length - 1] ?? [];
  });
  const { status, headers, body } = await ask('/api/leaf?path=2026-05-12%2Fgull%2Fa%22%2Fb');
  assert.equal(status, 200);
  assert.equal(body, Buffer.from([0x61, 0xff, 0x1b, 0x0a, 0x62, 0x0a]).toString('utf8'));
  assert.equal(headers['content-disposition'], 'attachment; filename="2026-05-12_gull_a_b.log"');
  assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
  const page = (cursor: string | null) => ({ path: '2026-05-12/gull/a"/b', form: 'text', cursor });
  assert.deepEqual(asked, [page(null), page('p2'), page('p3')]);
});

test('a file that breaks off is no shorter file', async (t) => {
  const { ask, search } = await startTestConsole(t);
  search.answers.set('/leaf', () => [{ address: '1:1', bytes: 'YQ==' }]);
  await assert.rejects(ask('/api/leaf?path=2026-05-12%2Fgull%2Fa'), { code: 'ECONNRESET' });
});
