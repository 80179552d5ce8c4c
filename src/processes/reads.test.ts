import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#base/clock';
import type { ReadRecord } from '#wire/reader';
import { recordReads } from './reads.ts';

const read: ReadRecord = {
  uid: 0,
  read: 'search',
  asked: { query: 'x' },
  lines: 1,
  ms: 2,
  outcome: 'answered',
};

/** A disk can be made full, but not for one line and then free again at a moment of the test's choice. */
test('a disk that is full delays one answer; what waits is told of, bounded, and kept when there is space', async () => {
  const said: string[] = [];
  const kept: string[] = [];
  const waiting: (() => void)[] = [];
  const record = recordReads(
    {
      send: (_meta, raw) =>
        new Promise((resolve) =>
          waiting.push(() => {
            kept.push(Buffer.from(raw).toString());
            resolve();
          }),
        ),
    },
    systemClock(),
    (severity, message) => void said.push(`${severity}: ${message}`),
  );
  const started = performance.now();
  await record(read);
  assert.ok(performance.now() - started > 1900, 'the first waits for the disk');
  for (let more = 1; more < 1000; more += 1) await record(read);
  await assert.rejects(record(read), /1000 records of reads wait/);
  assert.equal(said.length, 1000);
  assert.match(said[0] ?? '', /^warning: not on disk yet.*"kind":"read".*"uid":0.*"user":"root"/);
  for (const free of waiting) free();
  assert.equal(kept.length, 1000);
  await new Promise(setImmediate);
  const again = record(read);
  waiting.at(-1)?.();
  await again;
});

test('a record that cannot be kept is refused', async () => {
  const record = recordReads(
    { send: () => Promise.reject(new Error('the spool is full')) },
    systemClock(),
    () => undefined,
  );
  await assert.rejects(record(read), /the spool is full/);
});
