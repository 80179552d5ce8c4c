import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Health } from './health.ts';
import { planOfNothing } from './plan.fixture.ts';
import { timesOf } from './times.ts';

const health: Health = {
  failed: new Set(),
  states: new Map([['app.service', 'active']]),
  restarts: new Map(),
  restless: new Set(),
  blind: null,
};
const usual = { watchAfterMs: null, confirmSeconds: 120 };

test('who may be locked out waits for no watch, and not longer than to confirm', () => {
  assert.deepEqual(timesOf(planOfNothing, health, usual), { watchMs: 30_000, undoneIn: 330 });
  const plan = { ...planOfNothing, losesLogin: true };
  assert.deepEqual(timesOf(plan, health, usual), { watchMs: 0, undoneIn: 120 });
  assert.deepEqual(timesOf(plan, health, { ...usual, confirmSeconds: 900 }), { watchMs: 0, undoneIn: 300 });
  const asked = { watchAfterMs: 60_000, confirmSeconds: 60 };
  assert.deepEqual(timesOf(plan, health, asked), { watchMs: 60_000, undoneIn: 60 });
  assert.throws(() => timesOf(plan, health, { ...asked, watchAfterMs: 61_000 }), {
    code: 'check-failed',
    message: /--watch-after no more than --confirm-within/,
  });
});
