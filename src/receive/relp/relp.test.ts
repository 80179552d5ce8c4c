import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { Flag, Framing } from '#vault/record';
import { linesOf, type StoredDelivery } from '../testing/stored.ts';
import { dial, start, until, type Started } from '../testing/receiver.ts';
import { acknowledgements, SyslogRun } from './frame.ts';

const frame = (txnr: number, command: string, data = ''): string =>
  data === '' ? `${txnr} ${command} 0\n` : `${txnr} ${command} ${Buffer.byteLength(data)} ${data}\n`;
const open = frame(1, 'open', 'relp_version=0\nrelp_software=test\ncommands=syslog');
const message = (txnr: number): string => frame(txnr, 'syslog', `<13>message ${txnr}\nof two lines`);

/** A session, and what was answered in it. */
const session = async (receiver: Started): Promise<{ socket: Socket; answers(): string }> => {
  const socket = await dial(receiver.port('relp'));
  let answers = '';
  socket.setEncoding('utf8').on('data', (text: string) => (answers += text));
  socket.on('error', () => undefined);
  return { socket, answers: () => answers };
};

const relps = (receiver: Started): StoredDelivery[] =>
  receiver.stored().filter(({ listener }) => listener.startsWith('relp='));
const texts = (receiver: Started): string[] =>
  relps(receiver)
    .flatMap(linesOf)
    .map(({ raw }) => raw.toString());

test('each message is stored as it came, and answered when it is durable; close ends the session', async (t) => {
  const receiver = await start(t, ['relp']);
  const { socket, answers } = await session(receiver);
  socket.write(`${open}${message(2)}${frame(3, 'syslog')}${message(4)}`);
  await until(() => answers().includes('4 rsp 6 200 OK\n'));
  assert.match(
    answers(),
    /^1 rsp \d+ 200 OK\nrelp_version=0\n[^]*commands=syslog\n2 rsp 6 200 OK\n3 rsp 6 200 OK\n4 rsp/,
  );
  assert.deepEqual(texts(receiver), ['<13>message 2\nof two lines', '', '<13>message 4\nof two lines']);
  const closed = once(socket, 'close');
  socket.write(`${message(5)}${frame(6, 'close')}`);
  await closed;
  assert.ok(answers().endsWith('5 rsp 6 200 OK\n6 rsp 0\n0 serverclose 0\n'), answers());
});

test('however the stream is cut into pieces, the same is stored, and everything is answered', async (t) => {
  const receiver = await start(t, ['relp']);
  const { socket, answers } = await session(receiver);
  socket.setNoDelay(true);
  const stream = Buffer.from(open + Array.from({ length: 60 }, (_, i) => message(i + 2)).join(''));
  let at = 0;
  for (let step = 1; at < stream.length; step = (step * 7) % 97) {
    socket.write(stream.subarray(at, at + step));
    at += step;
    await new Promise(setImmediate);
  }
  await until(() => answers().includes('61 rsp 6 200 OK\n'));
  assert.ok(answers().endsWith(acknowledgements(2, 60)));
  assert.deepEqual(
    texts(receiver),
    Array.from({ length: 60 }, (_, i) => `<13>message ${i + 2}\nof two lines`),
  );
});

test('a message longer than a line may be comes in parts, nothing of it is lost, and it is answered once', async (t) => {
  const receiver = await start(t, ['relp'], { maxLine: 65_536 });
  const { socket, answers } = await session(receiver);
  const long = 'x'.repeat(300_000);
  socket.write(`${open}${message(2)}${frame(3, 'syslog', long)}${message(4)}`);
  await until(() => answers().includes('4 rsp 6 200 OK\n'));
  assert.ok(answers().endsWith(acknowledgements(2, 3)));
  const parts = relps(receiver).filter(({ flags }) => (flags & Flag.part) !== 0);
  assert.ok(parts.length > 3 && parts.every(({ framing }) => framing === Framing.octetCounted));
  assert.equal(
    parts
      .flatMap(linesOf)
      .map(({ raw }) => raw.toString())
      .join(''),
    long,
  );
  assert.deepEqual(
    parts.map(({ flags }) => (flags & Flag.lastPart) !== 0),
    parts.map((_, i) => i === parts.length - 1),
  );
});

test('what is not RELP is answered 500 and ends the session; what came before stays answered', async (t) => {
  const receiver = await start(t, ['relp']);
  const wrong = [
    ['<13>plain syslog\n', 'no transaction number'],
    [message(2), 'the session is not open'],
    [`${open}${message(2)}3 syslog 5 sixsix\n`, 'no line feed after the data'],
    [`${open}3 syslog x\n`, 'no length'],
    [`${open}${'9'.repeat(40)}`, 'no transaction number'],
    [`${open}${frame(3, 'close', 'x'.repeat(40_000))}`, 'bytes of data for close'],
  ] as const;
  for (const [bytes, why] of wrong) {
    const { socket, answers } = await session(receiver);
    const closed = once(socket, 'close');
    socket.write(bytes);
    await closed;
    assert.match(answers(), new RegExp(`rsp \\d+ 500 .*${why}`), bytes.slice(0, 60));
    assert.ok(answers().endsWith('0 serverclose 0\n'), answers());
  }
  const { socket, answers } = await session(receiver);
  socket.write(`${open}${frame(2, 'starttls')}${message(3)}`);
  await until(() => answers().includes('3 rsp 6'));
  assert.match(answers(), /2 rsp \d+ 500 unknown command starttls\n/);
  await until(
    () => receiver.lines('receiver').filter((line) => line.includes('RELP')).length === wrong.length,
  );
});

test('after a session that was cut, as many messages are marked as may be copies; after one that was closed, none', async (t) => {
  const receiver = await start(t, ['relp']);
  const marked = (): number =>
    relps(receiver)
      .filter(({ flags }) => (flags & Flag.possibleRedelivery) !== 0)
      .flatMap(linesOf).length;
  const say = async (count: number, end: 'close' | 'cut'): Promise<void> => {
    const { socket, answers } = await session(receiver);
    socket.write(open + Array.from({ length: count }, (_, i) => message(i + 2)).join(''));
    await until(() => answers().includes(`${count + 1} rsp 6`));
    if (end === 'close') {
      socket.write(frame(count + 2, 'close'));
      await once(socket, 'close');
    } else socket.resetAndDestroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
  };
  // A receiver that has just begun remembers nothing: a window may be copies.
  await say(200, 'close');
  assert.equal(marked(), 128);
  await say(50, 'cut');
  assert.equal(marked(), 128);
  await say(70, 'close');
  assert.equal(marked(), 128 + 50);
  await say(5, 'close');
  assert.equal(marked(), 128 + 50);
});

test('a frame that the connection did not end was not answered: it is counted, and not stored', async (t) => {
  const receiver = await start(t, ['relp']);
  const { socket, answers } = await session(receiver);
  socket.write(`${open}${message(2)}3 syslog 100 <13>half`);
  await until(() => answers().includes('2 rsp 6'));
  socket.resetAndDestroy();
  await until(() => receiver.lines('receiver').some((line) => line.includes('"torn"')));
  assert.equal(texts(receiver).length, 1);
});

test('a stop answers all that was taken, and says goodbye', async (t) => {
  const receiver = await start(t, ['relp']);
  const { socket, answers } = await session(receiver);
  socket.write(open + Array.from({ length: 1000 }, (_, i) => message(i + 2)).join(''));
  await until(() => answers().includes('2 rsp 6'));
  await receiver.stop();
  const count = texts(receiver).length;
  await until(() => answers().endsWith('0 serverclose 0\n'));
  assert.equal(answers().match(/rsp 6 200 OK/g)?.length, count);
});

test('a run stops where its bytes, its number or the most does', () => {
  const run = new SyslogRun();
  const bytes = Buffer.from(message(7) + message(8) + message(10) + message(11).slice(0, 20));
  run.walk(bytes, 0, 100, 1000);
  assert.deepEqual([run.first, run.count, run.end], [7, 2, message(7).length + message(8).length]);
  run.walk(bytes, run.end, 100, 1000);
  assert.deepEqual([run.first, run.count], [10, 1]);
  run.walk(bytes, 0, 1, 1000);
  assert.equal(run.count, 1);
  run.walk(bytes, 0, 100, 10);
  assert.equal(run.count, 0);
});
