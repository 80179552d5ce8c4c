import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { it } from 'node:test';
import { Flag, Framing } from '#vault/record';
import { dial, start, until } from '../testing/receiver.ts';
import { joinChunks } from './chunks.ts';

const chunk = (id: number, number: number, count: number, share: string): Buffer =>
  Buffer.concat([Buffer.from([0x1e, 0x0f, 0, 0, 0, 0, 0, 0, 0, id, number, count]), Buffer.from(share)]);

it('GELF over UDP: chunks become the message, in whatever order they come; what is incomplete is marked', async (t) => {
  const receiver = await start(t, ['gelf-udp']);
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  const send = (datagram: Buffer | string) =>
    new Promise<void>((resolve) =>
      socket.send(datagram, receiver.port('gelfUdp'), '127.0.0.1', () => resolve()),
    );
  for (const one of [
    '{"short_message":"alone"}',
    chunk(1, 2, 3, 'c"}'),
    chunk(2, 1, 2, 'late"}'),
    chunk(1, 0, 3, '{"short_message":"a'),
    chunk(1, 0, 3, '{"short_message":"a'),
    chunk(1, 1, 3, 'b'),
    // No chunks: a number beyond the count, and a header that is too short.
    chunk(3, 5, 2, 'x'),
    Buffer.from([0x1e, 0x0f, 1]),
  ])
    await send(one);
  await until(() => receiver.lines('gelf-udp').length >= 4);
  assert.deepEqual(receiver.lines('gelf-udp').slice(0, 2), [
    '{"short_message":"alone"}',
    '{"short_message":"abc"}',
  ]);
  await receiver.stop();
  const stored = receiver.stored().filter(({ listener }) => listener.startsWith('gelf-udp'));
  assert.equal(stored.length, 5);
  assert.deepEqual(JSON.parse(stored[0]?.meta ?? ''), { via: 'gelf', format: 'gelf' });
  const torn = stored.filter(({ flags }) => flags === Flag.torn);
  assert.deepEqual(
    torn.map(({ raw }) => raw.toString()),
    ['late"}'],
  );
  const losses = receiver.lines('receiver').map((line) => JSON.parse(line));
  assert.deepEqual(
    losses.map(({ cause, count }) => [cause, count]),
    [['torn message', 1]],
  );
});

it('GELF chunks: what strangers can make it hold is bounded, and the oldest is given up first', () => {
  const given: string[] = [];
  const joiner = joinChunks({ elapsed: () => 0 }, ({ pieces }) =>
    given.push(Buffer.concat(pieces).toString().slice(0, 8)),
  );
  for (let n = 0; n < 1500; n += 1)
    assert.equal(joiner.take(chunk(0, 0, 2, `message ${n}`), `10.0.0.1 ${n}`), null);
  assert.equal(given.length, 1500 - 1024);
  joiner.stop();
  assert.equal(given.length, 1500);
  const large = joinChunks({ elapsed: () => 0 }, ({ pieces }) =>
    given.push(Buffer.concat(pieces).toString().slice(0, 8)),
  );
  for (let n = 0; n < 300; n += 1) large.take(chunk(0, 0, 2, 'x'.repeat(65_000)), `10.0.0.1 ${n}`);
  assert.ok(given.length > 1530 && given.length < 1600, String(given.length));
  large.stop();
});

it('GELF over TCP: NUL ends a message, and an LF or a number ends none', async (t) => {
  const receiver = await start(t, ['gelf-tcp']);
  const socket = await dial(receiver.port('gelfTcp'));
  socket.write('{"short_message":"pretty",\n"n":1}\0');
  socket.write('12 <x>{"a":1}\0\0{"unfin');
  await until(() => receiver.lines('gelf-tcp').length === 3);
  socket.end('ished');
  await until(() => receiver.lines('gelf-tcp').length === 4);
  assert.deepEqual(receiver.lines('gelf-tcp'), [
    '{"short_message":"pretty",\n"n":1}',
    '12 <x>{"a":1}',
    // Two NULs: a frame of no bytes, which becomes no record.
    '',
    '{"unfinished',
  ]);
  const stored = receiver.stored().filter(({ listener }) => listener.startsWith('gelf-tcp'));
  assert.ok(stored.every(({ framing, meta }) => framing === Framing.nul && JSON.parse(meta).via === 'gelf'));
  assert.equal(stored.at(-1)?.flags, Flag.torn);
});
