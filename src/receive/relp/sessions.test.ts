import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rememberSessions } from './sessions.ts';

test('what follows a session that was closed in order is new; what follows one that was cut may not be', () => {
  const sessions = rememberSessions();
  assert.equal(sessions.begin('a'), 128, 'the first since the start');
  sessions.end('a', 0);
  assert.equal(sessions.begin('a'), 0);
  sessions.end('a', 17);
  assert.equal(sessions.begin('a'), 17);
  assert.equal(sessions.begin('b'), 128, 'another sender');
});

test('of several sessions each may be the one that goes on', () => {
  const sessions = rememberSessions();
  sessions.begin('a');
  assert.equal(sessions.begin('a'), 128, 'the one before may be gone without our knowledge');
  sessions.end('a', 40);
  sessions.end('a', 0);
  assert.deepEqual([sessions.begin('a'), sessions.begin('a')], [40, 40]);
  sessions.end('a', 0);
  assert.equal(sessions.begin('a'), 0, 'all are accounted for');
});

test('who is forgotten is met as for the first time', () => {
  const sessions = rememberSessions(128, 3);
  for (const sender of ['a', 'b', 'c']) sessions.end(sender, 0);
  sessions.end('a', 0);
  sessions.end('d', 0);
  assert.deepEqual([sessions.begin('a'), sessions.begin('d')], [0, 0]);
  assert.equal(sessions.begin('b'), 128);
});
