import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openAttempts } from './attempts.ts';
import { refusals } from './refusal.ts';

it('one may have half of what is served at once, and its share of a minute', () => {
  let now = 0;
  const attempts = openAttempts({ elapsed: () => now }, { each: 3, all: 5, atOnce: 4 });
  assert.equal(attempts.enter('a'), null);
  assert.equal(attempts.enter('a'), null);
  assert.equal(attempts.enter('a'), refusals.noMemory);
  assert.equal(attempts.enter('b'), null);
  assert.equal(attempts.enter('c'), null);
  assert.equal(attempts.enter('d'), refusals.noMemory, 'all are taken');
  attempts.leave('a');
  assert.equal(attempts.enter('a'), null);
  attempts.leave('a');
  assert.equal(attempts.enter('a'), refusals.tooOften);
  assert.equal(attempts.enter('d'), refusals.tooOften, 'of all together');
  now += 60_000;
  assert.equal(attempts.enter('d'), null);
});
