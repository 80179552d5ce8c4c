import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#base/clock';
import { connectOwn, selfLine } from '#ship/delivery';
import { closeAfter } from './last-words.ts';

test('whoever waits for room in the spool keeps no process from ending', async (t) => {
  const place = mkdtempSync(join(tmpdir(), 'holdfast-last-words-'));
  t.after(() => rmSync(place, { recursive: true, force: true }));
  const clock = systemClock();
  const deliverer = await connectOwn({
    socket: join(place, 'nobody-listens.sock'),
    sender: 'test',
    stream: 'test',
    spool: join(place, 'spool'),
    clock,
    log: () => undefined,
    limit: 65_536,
  });
  const put = (): Promise<void> => deliverer.put([selfLine(clock, 'test', { text: 'x'.repeat(10_000) })], {});
  while (!deliverer.backlog().full) await put();
  const waiting = assert.rejects(put(), { code: 'closed' });
  await closeAfter(waiting, deliverer);
});
