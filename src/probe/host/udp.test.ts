import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { questionFor, readAnswer } from './question.ts';
import { probeUdp } from './udp.ts';

const bound = async (t: TestContext): Promise<{ socket: Socket; port: number }> => {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => void socket.close());
  return { socket, port: socket.address().port };
};

const unpaced = async (): Promise<void> => undefined;
const look = async (port: number, timeoutMs = 1000, tries = 3) =>
  probeUdp({ address: '127.0.0.1', port, timeoutMs, tries }, unpaced);

test('a server that answers is open', async (t) => {
  const { socket, port } = await bound(t);
  socket.on('message', (_, from) => socket.send('who is there?\x1b[2J', from.port, from.address));
  const { state, banner } = await look(port);
  assert.deepEqual({ state, banner }, { state: 'open', banner: 'who is there?\\x1b[2J' });
});

test('a port where nobody is bound is refused, by ICMP', async () => {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  const { state, why } = await look(port);
  assert.deepEqual({ state, why }, { state: 'refused', why: 'ICMP port unreachable' });
});

test('a server that never answers is silent, after as many questions as there were to be', async (t) => {
  const { socket, port } = await bound(t);
  let heard = 0;
  socket.on('message', () => void (heard += 1));
  const { state, milliseconds } = await look(port, 30);
  const isHeard = (): boolean => heard >= 3;
  while (!isHeard()) await once(socket, 'message');
  assert.deepEqual({ state, milliseconds, heard }, { state: 'silent', milliseconds: null, heard: 3 });
});

test('a datagram that was lost is sent again', async (t) => {
  const { socket, port } = await bound(t);
  let heard = 0;
  socket.on('message', (_, from) => {
    heard += 1;
    if (heard === 2) socket.send('yes', from.port, from.address);
  });
  assert.equal((await look(port, 500)).state, 'open');
});

test('each question is told from the others by its port, and its answer read', () => {
  const nonce = Buffer.from('01020304', 'hex');
  const asked = (port: number): string =>
    questionFor(port)
      .datagrams(nonce)
      .map((one) => one.toString('latin1'))
      .join('');
  assert.match(asked(53), /version\x04bind/);
  assert.match(asked(161), /public/);
  assert.equal(asked(11211), '\x01\x02\0\0\0\x01\0\0version\r\n');
  const said = (port: number, answer: string) => readAnswer(questionFor(port), Buffer.from(answer, 'latin1'));
  assert.deepEqual(said(53, `\x01\x02\x80\x05${'\0'.repeat(20)}`), { service: 'dns', banner: 'REFUSED' });
  assert.deepEqual(said(123, `\x24\x02${'\0'.repeat(46)}`), { service: 'ntp', banner: 'NTPv4, stratum 2' });
  assert.deepEqual(said(11211, '\x01\x02\0\0\0\x01\0\0VERSION 1.6.18\r\n'), {
    service: 'memcached',
    banner: 'VERSION 1.6.18',
  });
});

test('an answer too short to be one breaks nothing', () => {
  for (const port of [53, 111, 123, 137, 161, 514, 2049, 5060, 5353, 11211, 4711])
    for (const length of [0, 1, 12, 13, 30])
      assert.doesNotThrow(() => readAnswer(questionFor(port), Buffer.alloc(length, 0xff)));
});
