import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openOwnLines } from './own-lines.ts';
import { receiver } from './receiver.fixture.ts';

const entry = { n: 1, time: '2026-01-01T00:00:00Z', step: 'undo', outcome: 'ok', text: '' } as const;

test('a receiver that takes the connection and acknowledges nothing does not hold a fix up', async (t) => {
  const lines = openOwnLines(await receiver(t), { takeWithinMs: 200, askAgainMs: 60_000 });
  await lines.say('one', entry);
  assert.match(lines.away() ?? '', /did not take it within 0\.2 s/);
  await lines.say('one', { ...entry, n: 2 });
  lines.close();
});

test('a receiver that was away is asked again after a while, also for what no journal has', async (t) => {
  const its = await receiver(t);
  const lines = openOwnLines(its, { takeWithinMs: 200, askAgainMs: 0 });
  await lines.say('one', entry);
  its.takes = true;
  const aside = { step: 'waiting', outcome: 'failed', text: 'no room' } as const;
  await lines.sayAside('one', aside, entry.time);
  assert.match(its.taken(), /"stream":"fix-one-[0-9a-f]{16}"/);
  assert.match(its.taken(), /"kind":"fix",.*"fix":"one","step":"waiting",.*"text":"no room"/);
  assert.doesNotMatch(its.taken(), /"n":1/);
  // The first one is still not taken: whoever has the journal is to send it again.
  assert.notEqual(lines.away(), null);
  lines.close();
});

test('steps that no journal has are of another stream after a reopen, and once it takes them of one', async (t) => {
  const its = await receiver(t);
  Object.assign(its, { takes: true, durable: 1n });
  const lines = openOwnLines(its, { takeWithinMs: 200, askAgainMs: 0 });
  const aside = async (text: string): Promise<void> =>
    lines.sayAside('one', { step: 'waiting', outcome: 'failed', text }, entry.time);
  const streams = (): string[] => its.taken().match(/"stream":"fix-one-[0-9a-f]{16}"/g) ?? [];
  await aside('first');
  assert.deepEqual([streams().length, lines.asidesLost()], [1, 0]);
  its.takes = false;
  await aside('lost');
  its.takes = true;
  await aside('second');
  its.durable = 2n;
  await aside('third');
  // Each sender that is opened counts from 1.
  assert.equal(streams().length, 2);
  assert.equal(new Set(streams()).size, 2);
  assert.match(its.taken(), /"text":"first".*"text":"second".*"text":"third"/s);
  assert.deepEqual([lines.asidesLost(), lines.away() !== null], [1, true]);
  lines.close();
});
