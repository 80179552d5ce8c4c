import assert from 'node:assert/strict';
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '#base/clock';
import { connectOwn, type Deliverer } from './deliver.ts';
import { ShipError } from './errors.ts';
import type { Line } from './line.ts';
import { distinct, receivedIn, serveOwn } from './testing/own-server.ts';
import { place, quiet, until, type Place } from './testing/place.ts';

const clock = systemClock();
const line = (text: string): Line => ({
  meta: { via: 'file', host: 'h', path: '/x' },
  raw: Buffer.from(text),
});

const open = async (at: Place, limit?: number): Promise<Deliverer> => {
  const deliverer = await connectOwn({
    socket: at.socket,
    spool: at.spool,
    sender: 'test',
    stream: 'test',
    clock,
    log: quiet().log,
    ...(limit === undefined ? {} : { limit }),
  });
  at.after(() => deliverer.close(0));
  return deliverer;
};

test('lines kept while the receiver is away arrive once it is there, numbered from 1', async (t) => {
  const at = place(t);
  const deliverer = await open(at);
  await deliverer.put([line('one'), line('two')], { source: { offset: 8 } });
  await deliverer.send({ via: 'self', host: 'h' }, Buffer.from('{"kind":"start"}'));
  assert.equal(deliverer.backlog().lines, 3);
  assert.equal(deliverer.backlog().connected, false);

  const server = await serveOwn(at.socket, at.received);
  at.after(() => server.close());
  await until('all is acknowledged', () => deliverer.backlog().lines === 0);
  const lines = distinct(receivedIn(at.received));
  assert.deepEqual(
    lines.map((got) => [got.sequence, got.raw.toString()]),
    [
      [1, 'one'],
      [2, 'two'],
      [3, '{"kind":"start"}'],
    ],
  );
  assert.match(lines[0]?.stream ?? '', /^test-[0-9a-f]{16}$/);
  await deliverer.close(100);
});

test('a restart goes on with the numbers, the cursors and what was not acknowledged', async (t) => {
  const at = place(t);
  const first = await open(at);
  await first.put([line('one'), line('two')], { a: 1, b: { offset: 2 } });
  await first.put([line('three')], { a: null });
  await first.close(0);

  const server = await serveOwn(at.socket, at.received);
  at.after(() => server.close());
  const second = await open(at);
  assert.deepEqual([...second.cursors], [['b', { offset: 2 }]]);
  assert.equal(second.stream, first.stream);
  await second.put([line('four')], {});
  await until('all is acknowledged', () => second.backlog().lines === 0);
  await second.close(1000);
  assert.deepEqual(
    distinct(receivedIn(at.received)).map((got) => got.raw.toString()),
    ['one', 'two', 'three', 'four'],
  );

  const third = await open(at);
  await wait(100);
  assert.equal(third.backlog().lines, 0);
  await third.close(0);
  assert.equal(
    receivedIn(at.received).length,
    4,
    'what was acknowledged is not sent again after an orderly stop',
  );
});

test('a torn tail is dropped and its numbers are given again', async (t) => {
  const at = place(t);
  const first = await open(at);
  await first.put([line('kept')], { source: 1 });
  await first.put([line('torn')], { source: 2 });
  await first.close(0);
  const segment = join(at.spool, readdirSync(at.spool).find((name) => name.endsWith('.spool')) ?? '');
  const bytes = readFileSync(segment);
  // Through every byte of the second record, which begins behind the first line.
  const tornFrom = bytes.lastIndexOf(bytes.subarray(8, 16), bytes.indexOf('torn'));
  for (const length of [bytes.indexOf('torn') + 2, tornFrom + 20, tornFrom + 3, tornFrom]) {
    writeFileSync(segment, bytes.subarray(0, length));
    const again = await open(at);
    assert.deepEqual([...again.cursors], [['source', 1]]);
    assert.equal(again.backlog().lines, 1);
    await again.close(0);
  }
  const again = await open(at);
  await again.put([line('instead')], { source: 2 });
  const server = await serveOwn(at.socket, at.received);
  at.after(() => server.close());
  await until('all is acknowledged', () => again.backlog().lines === 0);
  await again.close(0);
  assert.deepEqual(
    distinct(receivedIn(at.received)).map((got) => [got.sequence, got.raw.toString()]),
    [
      [1, 'kept'],
      [2, 'instead'],
    ],
  );
});

test('damage in the middle costs only its own lines, is reported, and no number is given twice', async (t) => {
  const at = place(t);
  const first = await open(at);
  for (const text of ['one', 'damaged', 'three']) await first.put([line(text)], { source: text });
  await first.close(0);
  const segment = join(at.spool, readdirSync(at.spool).find((name) => name.endsWith('.spool')) ?? '');
  const fd = openSync(segment, 'r+');
  writeSync(fd, 'D', readFileSync(segment).indexOf('damaged'));
  closeSync(fd);

  const server = await serveOwn(at.socket, at.received);
  at.after(() => server.close());
  const again = await open(at);
  assert.deepEqual([...again.cursors], [['source', 'three']]);
  await until('all is acknowledged', () => again.backlog().lines === 0);
  await again.close(0);
  const got = receivedIn(at.received).map((received) => [received.sequence, received.raw.toString()]);
  assert.deepEqual(got.slice(0, 2), [
    [1, 'one'],
    [3, 'three'],
  ]);
  assert.match(String(got[2]?.[1]), /"kind":"loss".*"cause":"the spool was damaged".*"first":2,"last":2/);
});

test('a spool whose snapshot does not check is refused, not begun anew in its place', async (t) => {
  const at = place(t);
  const first = await open(at, 40_000);
  for (let i = 0; i < 20; i++) await first.put([line('x'.repeat(300))], { i });
  await first.close(0);
  const oldest =
    readdirSync(at.spool)
      .filter((name) => name.endsWith('.spool'))
      .sort()[0] ?? '';
  truncateSync(join(at.spool, oldest), 30);
  await assert.rejects(open(at), (error) => error instanceof ShipError && error.code === 'spool-damaged');
});

test('a full spool stops sources and refuses self lines; acknowledgements free it', async (t) => {
  const at = place(t);
  const deliverer = await open(at, 64 * 1024);
  let kept = 0;
  const source = (async () => {
    for (let i = 0; i < 300; i++) {
      await deliverer.put([line(String(i).padEnd(1000, '.'))], { i });
      kept += 1;
    }
  })();
  await until('the spool is full', () => deliverer.backlog().full);
  await wait(150);
  const keptWhenFull = kept;
  assert.ok(keptWhenFull < 80, `kept ${keptWhenFull}`);
  const sent: Promise<void>[] = [];
  for (let i = 0; i < 10; i++) sent.push(deliverer.send({ via: 'self', host: 'h' }, Buffer.alloc(1000, 's')));
  const outcomes = await Promise.allSettled(sent);
  await assert.rejects(
    deliverer.send({ via: 'self', host: 'h' }, Buffer.alloc(1000, 's')),
    (error) => error instanceof ShipError && error.code === 'spool-full',
  );
  assert.ok(deliverer.backlog().bytes < 100_000);

  const server = await serveOwn(at.socket, at.received);
  at.after(() => server.close());
  await source;
  await until('all is acknowledged', () => deliverer.backlog().lines === 0);
  await deliverer.close(0);
  const lines = distinct(receivedIn(at.received));
  assert.deepEqual(
    lines.filter((got) => got.meta.via === 'file').map((got) => Number.parseInt(got.raw.toString(), 10)),
    Array.from({ length: 300 }, (_, i) => i),
  );
  assert.equal(
    lines.filter((got) => got.meta.via === 'self').length,
    outcomes.filter((o) => o.status === 'fulfilled').length,
  );
  const left = readdirSync(at.spool).reduce((sum, name) => sum + statSync(join(at.spool, name)).size, 0);
  assert.ok(left < 20_000, `${left} bytes left in the spool`);
});

test('one process at a time holds a spool', async (t) => {
  const at = place(t);
  const first = await open(at);
  const second = open(at);
  await wait(200);
  await first.close(0);
  await (await second).close(0);
});

test('a receiver that acknowledges what was never sent frees nothing', async (t) => {
  const at = place(t);
  const { createServer } = await import('node:net');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      const through = Buffer.alloc(8);
      through.writeBigUInt64BE(1_000_000n);
      socket.write(through);
    });
  });
  await new Promise<void>((resolve) => server.listen(at.socket, resolve));
  at.after(() => server.close());
  const deliverer = await open(at);
  await deliverer.put([line('one')], {});
  await wait(150);
  assert.equal(deliverer.backlog().lines, 1);
  await deliverer.close(0);
});

test('a line beyond 16 MiB goes out in marked parts that join to the same bytes', async (t) => {
  const at = place(t);
  const server = await serveOwn(at.socket, at.received);
  at.after(() => server.close());
  const deliverer = await open(at);
  const raw = Buffer.alloc(16 * 1024 * 1024 + 5, 'abc');
  await deliverer.put([{ meta: { via: 'journal', host: 'h' }, raw }], {});
  await until('all is acknowledged', () => deliverer.backlog().lines === 0);
  await deliverer.close(0);
  const parts = distinct(receivedIn(at.received));
  assert.deepEqual(
    parts.map((got) => [got.meta['part'], got.meta['lastPart'], got.raw.length]),
    [
      [0, undefined, 16 * 1024 * 1024],
      [1, true, 5],
    ],
  );
  assert.ok(Buffer.concat(parts.map((got) => got.raw)).equals(raw));
});
