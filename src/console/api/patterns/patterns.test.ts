import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerFor } from '../../scripted-search.ts';
import { startTestConsole } from '../../test-console.ts';

const worth = answerFor(1, { verdict: 'unknown', detail: 'none' });
const hostile = 'a\u202eb\u001b[2J';
const shown = 'a\\u202eb\\x1b[2J';
const time = '2026-05-12T03:00:00.000001Z';

test('patterns, fields, saved searches and rules come whole, hostile text as visible escapes', async (t) => {
  const { ask, search } = await startTestConsole(t);
  const post = async (path: string) => JSON.parse((await ask(path, { method: 'POST', body: '{}' })).body);
  search.answers.set('/patterns', () => [
    { template: hostile, app: hostile, lines: 1, share: 1, first: time, last: time, example: '1:1' },
    { folded: { lines: 1, of: 2, patterns: 1 } },
    worth,
  ]);
  search.answers.set('/fields', () => [
    { name: hostile, lines: 1, share: 1, values: [{ value: hostile, lines: 1 }] },
    { read: { lines: 1, of: 1, fields: 1 } },
    worth,
  ]);
  search.answers.set('/saved', () => [{ name: 'x', query: hostile, by: hostile, at: time }, worth]);
  search.answers.set('/alerts', () => [
    {
      rule: 'r',
      query: '',
      watch: 'w',
      severity: 'error',
      notify: [],
      state: 'firing',
      detail: null,
      firing: [{ of: { host: hostile }, text: hostile, since: time }],
      count: 1,
      evaluated: 1,
      behind: 0,
      lastFiring: time,
      lastDelivery: null,
    },
  ]);
  const patterns = await post('/api/patterns');
  assert.deepEqual([patterns.patterns[0].template, patterns.folded.of], [shown, 2]);
  const fields = await post('/api/fields');
  assert.deepEqual([fields.fields[0].name, fields.fields[0].values[0].value], [shown, shown]);
  assert.deepEqual([fields.answer.count, patterns.answer.count], [1, 1]);
  assert.equal((await post('/api/saved')).saved[0].by, shown);
  assert.equal((await post('/api/alerts'))[0].firing[0].of.host, shown);
});

test('an answer without its end is none', async (t) => {
  const { ask, search } = await startTestConsole(t);
  search.answers.set('/patterns', () => [{ folded: { lines: 0, of: 0, patterns: 0 } }]);
  const { status, body } = await ask('/api/patterns', { method: 'POST', body: '{}' });
  assert.deepEqual([status, JSON.parse(body).error.code], [503, 'search-away']);
});
