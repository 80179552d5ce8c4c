import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { messageOf } from '#base/errors';
import { systemClock } from '#base/clock';
import { connectOwn, type Deliverer } from '../deliver.ts';
import type { Source } from '../source.ts';
import { distinct, receivedIn, serveOwn, type Received } from '../testing/own-server.ts';
import { place, quiet, until } from '../testing/place.ts';
import { followRing } from './kmsg.ts';
import { openRing, type Ring, type RingRead } from './ring.ts';

const clock = systemClock();

const whyNot = ((): string | false => {
  try {
    openRing().close();
    return false;
  } catch (error) {
    return `/dev/kmsg: ${messageOf(error)}`;
  }
})();

const setUp = async (
  t: TestContext,
): Promise<{
  start(ring: Ring): Promise<{ deliverer: Deliverer; source: Source; stop(): Promise<void> }>;
  lines(): Received[];
}> => {
  const at = place(t);
  const server = await serveOwn(at.socket, at.received);
  at.after(() => server.close());
  return {
    lines: () => distinct(receivedIn(at.received)),
    async start(ring) {
      const deliverer = await connectOwn({
        socket: at.socket,
        spool: at.spool,
        sender: 't',
        stream: 't',
        clock,
        log: quiet().log,
      });
      const source = followRing({
        deliverer,
        ring,
        host: () => 'h',
        clock,
        fail: (error) => assert.fail(String(error)),
      });
      let stopping: Promise<void> | null = null;
      const stop = (): Promise<void> => (stopping ??= source.stop().then(() => deliverer.close(1000)));
      at.after(stop);
      return { deliverer, source, stop };
    },
  };
};

test(
  'the kernel’s ring: what is in it, then what comes, once over a restart',
  { skip: whyNot },
  async (t) => {
    const { start, lines } = await setUp(t);
    const first = await start(openRing());
    await until('the ring is read', () => lines().length > 0 && first.deliverer.backlog().lines === 0);
    const before = lines().filter((got) => got.meta.via === 'kernel');
    assert.ok(before.every((got) => got.meta.backfill === true));
    assert.match(before[0]?.raw.toString() ?? '', /^\d+,\d+,\d+,[^;]*;.*\n/);
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    assert.match(before[0]?.meta.cursor ?? '', new RegExp(`^${boot}:\\d+$`));
    await first.stop();
    const second = await start(openRing());
    if (process.getuid?.() === 0) {
      const token = `ship test ${process.pid}.${Date.now()}`;
      writeFileSync('/dev/kmsg', `<14>${token}\n`);
      await until('the new record is there', () => lines().some((got) => got.raw.includes(token)));
      assert.equal(lines().find((got) => got.raw.includes(token))?.meta.backfill, undefined);
    }
    await second.stop();
    const cursors = lines().flatMap((got) => (got.meta.via === 'kernel' ? [got.meta.cursor] : []));
    assert.equal(new Set(cursors).size, cursors.length);
  },
);

// A ring that is overwritten, and a reboot, cannot be had here without flooding or restarting the machine.
const ringOf = (boot: string, reads: RingRead[]): Ring => ({
  boot,
  read: () => reads.shift() ?? { result: 'nothing new' },
  close: () => undefined,
});
const record = (sequence: number): RingRead => ({
  result: 'record',
  sequence,
  raw: Buffer.from(`6,${sequence},1,-;text\n`),
});

test('what the ring lost is told with its number; a new boot begins anew', async (t) => {
  const { start, lines } = await setUp(t);
  const first = await start(
    ringOf('one', [record(0), record(1), { result: 'overwritten' }, record(7), record(8)]),
  );
  await until('the records are there', () => lines().length === 5);
  await first.stop();
  const second = await start(ringOf('one', [record(7), record(8), record(9)]));
  await until('the next is there', () => lines().length === 6);
  await second.stop();
  const third = await start(ringOf('two', [record(0)]));
  await until('the new boot’s is there', () => lines().length === 7);
  await third.stop();
  const told = lines().map((got) => (got.meta.via === 'self' ? got.raw.toString() : got.meta.cursor));
  assert.match(told[2] ?? '', /"kind":"loss".*"via":"kernel".*"first":2,"last":6,"count":5/);
  assert.deepEqual(
    told.filter((_, i) => i !== 2),
    ['one:0', 'one:1', 'one:7', 'one:8', 'one:9', 'two:0'],
  );
});
