import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openRate } from './rate.ts';

test('a burst, then so many a second', () => {
  const rate = openRate({ burst: 3, perSecond: 2 }, { burst: 100, perSecond: 100 });
  const taken = (now: number): number => {
    let count = 0;
    while (rate.allows('one', now)) count += 1;
    return count;
  };
  assert.equal(taken(0), 3);
  assert.equal(taken(500), 1);
  assert.equal(taken(1500), 2);
  assert.equal(taken(1_000_000), 3);
  assert.equal(rate.allows('two', 1_000_000), true);
});

test('however many peers come, what is remembered is bounded, and all together are', () => {
  const rate = openRate({ burst: 2, perSecond: 0.001 }, { burst: 1_000_000, perSecond: 0 });
  let allowed = 0;
  for (let i = 0; i < 100_000; i++) if (rate.allows(`peer ${i}`, 1)) allowed += 1;
  assert.ok(allowed <= 4096 + 2, `${allowed}: those who are not remembered share one allowance`);
  const all = openRate({ burst: 2, perSecond: 1 }, { burst: 10, perSecond: 0 });
  assert.equal(Array.from({ length: 50 }, (_, i) => all.allows(`${i}`, 1)).filter(Boolean).length, 10);
});
