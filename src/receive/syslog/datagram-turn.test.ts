import assert from 'node:assert/strict';
import { test } from 'node:test';
import { micros } from '#base/clock';
import { encodeRecordHead, Framing } from '#vault/record';
import type { PendingDelivery } from '#vault/intake';
import { datagramsIn, datagramTurn, type TurnOf } from './datagram-turn.ts';
import type { FrameRun } from './framing.ts';

const sender = (): TurnOf & { runs: FrameRun[] } => {
  const runs: FrameRun[] = [];
  return { runs, store: (run) => runs.push(run), datagrams: [], bytes: 0 };
};

const delivery = (framing: Framing, body: Buffer[]): PendingDelivery => ({
  head: encodeRecordHead({
    flags: 0,
    framing,
    received: micros(0),
    sequence: 0,
    listener: 'syslog-udp=127.0.0.1:514',
    peer: '192.0.2.1:514',
    tlsName: '',
    stream: '',
    meta: '',
  }),
  received: micros(0),
  sequence: 0,
  flags: 0,
  body,
  bodyLength: body.reduce((sum, piece) => sum + piece.length, 0),
  durable: null,
  sealed: false,
});

test('what came in one turn of the event loop is one run for each sender, each datagram after its length', async () => {
  const turn = datagramTurn();
  const [a, b] = [sender(), sender()];
  turn.add(a, Buffer.from('one'));
  turn.add(b, Buffer.alloc(0));
  turn.add(a, Buffer.alloc(300, 'x'));
  assert.equal(a.runs.length, 0);
  await new Promise(setImmediate);
  const long = Buffer.concat([Buffer.from('\0\x03one\x01\x2c', 'latin1'), Buffer.alloc(300, 'x')]);
  assert.deepEqual(a.runs, [{ framing: Framing.datagrams, flags: 0, pieces: [long], length: long.length }]);
  assert.deepEqual(b.runs, [
    { framing: Framing.datagrams, flags: 0, pieces: [Buffer.from([0, 0])], length: 2 },
  ]);
  turn.add(a, Buffer.from('two'));
  turn.end();
  assert.deepEqual(a.runs[1]?.pieces, [Buffer.from('\0\x03two', 'latin1')]);
  await new Promise(setImmediate);
  assert.equal(a.runs.length, 2, 'nothing is stored twice');
});

test('the datagrams that wait in a delivery can be counted, in case they are lost', () => {
  const bodies = ['\0\x01a\0\0', '\0\x02bc'].map((text) => Buffer.from(text, 'latin1'));
  assert.equal(datagramsIn(delivery(Framing.datagrams, bodies)), 3);
  assert.equal(datagramsIn(delivery(Framing.datagram, [Buffer.from('whole')])), 1);
  assert.equal(datagramsIn(delivery(Framing.newline, [Buffer.from('a\nb\n')])), 0);
});
