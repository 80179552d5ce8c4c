import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { connect } from 'node:tls';
import { Flag } from '#vault/record';
import { testAuthority } from '../testing/authority.ts';
import { dial, start, until, type Started } from '../testing/receiver.ts';
import { linesOf } from '../testing/stored.ts';

const patience = 60_000;
const frame = (txnr: number, data: string, command = 'syslog'): string =>
  `${txnr} ${command} ${Buffer.byteLength(data)}${data === '' ? '' : ` ${data}`}\n`;
const ok = (txnr: number): string => `${txnr} rsp 6 200 OK\n`;
const open = frame(1, 'relp_version=0\nrelp_software=test\ncommands=syslog', 'open');
const opened = '1 rsp 60 200 OK\nrelp_version=0\nrelp_software=holdfast\ncommands=syslog\n';

type Client = { socket: Socket; heard(): string; hears(text: string): Promise<void> };

const clientOf = (socket: Socket): Client => {
  let heard = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => (heard += String(chunk)));
  return {
    socket,
    heard: () => heard,
    async hears(text) {
      await until(() => heard.length >= text.length, patience);
      assert.equal(heard, text);
    },
  };
};

const client = async (receiver: Started): Promise<Client> => clientOf(await dial(receiver.port('relp')));

const startRelp = (t: TestContext, limits = {}): Promise<Started> => start(t, ['relp'], limits);

const losses = (receiver: Started): string[] =>
  receiver
    .lines('receiver')
    .map((line) => JSON.parse(line))
    .filter(({ kind }) => ['torn', 'refusal'].includes(kind))
    .map(({ cause, count, sender }) => `${count} ${cause} ${sender}`);

/** Which lines are marked as possible copies. */
const marked = (receiver: Started): string[] =>
  receiver
    .stored()
    .filter(({ listener, flags }) => listener.startsWith('relp') && (flags & Flag.possibleRedelivery) !== 0)
    .flatMap(linesOf)
    .map(({ raw }) => raw.toString());

const messages = (from: number, count: number, text: (txnr: number) => string): string =>
  Array.from({ length: count }, (_, i) => frame(from + i, text(from + i))).join('');

const oks = (from: number, count: number): string =>
  Array.from({ length: count }, (_, i) => ok(from + i)).join('');

describe('RELP', () => {
  it('answers each message after it is stored, in order, and closes as asked', async (t) => {
    const receiver = await startRelp(t);
    const { socket, hears } = await client(receiver);
    socket.write(open);
    await hears(opened);
    socket.write(messages(2, 1000, (txnr) => `<13>message ${txnr}`) + frame(1002, 'x', 'nonsense'));
    const answers = opened + oks(2, 1000) + '1002 rsp 28 500 unknown command nonsense\n';
    await hears(answers);
    assert.equal(receiver.lines('relp').length, 1000, 'what was answered is stored');
    socket.write(frame(1003, '<13>and on') + frame(1004, '', 'close'));
    await hears(`${answers}${oks(1003, 2)}0 serverclose 0\n`);
    if (!socket.closed) await once(socket, 'close');
    assert.equal(receiver.lines('relp').at(-1), '<13>and on');
    const delivery = receiver.stored().find(({ listener }) => listener.startsWith('relp'));
    assert.equal(delivery?.listener, `relp=127.0.0.1:${receiver.port('relp')}`);
  });

  it('answers what is no RELP with an error, after what was, and counts it', async (t) => {
    const receiver = await startRelp(t);
    const { socket, hears } = await client(receiver);
    socket.write(`${open}${frame(2, '<13>good')}<13>plain syslog\n`);
    await hears(`${opened}${ok(2)}3 rsp 37 500 no frame header where one was due\n0 serverclose 0\n`);
    if (!socket.closed) await once(socket, 'close');
    await until(() => losses(receiver).length > 0, patience);
    assert.deepEqual(losses(receiver), ['1 no RELP 127.0.0.1']);
    assert.deepEqual(receiver.lines('relp'), ['<13>good']);
  });

  it('stores a message of megabytes in parts, and answers it once', async (t) => {
    const receiver = await startRelp(t);
    const { socket, hears } = await client(receiver);
    const long = '0123456789abcdef-'.repeat(300_000);
    socket.write(open + frame(2, long) + frame(3, 'after'));
    await hears(opened + oks(2, 2));
    const lines = receiver.lines('relp');
    assert.equal(lines.slice(0, -1).join('') === long, true);
    assert.ok(lines.length > 4);
    socket.destroy();
  });

  it('keeps what a cut connection left of a message, and neither answers nor forgets it', async (t) => {
    const receiver = await startRelp(t);
    const { socket, hears } = await client(receiver);
    socket.write(open + frame(2, '<13>whole') + frame(3, '<13>torn off').slice(0, -5));
    await hears(opened + ok(2));
    socket.resetAndDestroy();
    await until(() => losses(receiver).length > 0, patience);
    assert.deepEqual(losses(receiver), ['1 torn frame 127.0.0.1']);
    assert.deepEqual(receiver.lines('relp'), ['<13>whole', '<13>torn']);
  });

  it('marks the first messages of a session that may be copies, and no more', async (t) => {
    const receiver = await startRelp(t);
    const say = async (text: string, count: number, how: 'close' | 'cut'): Promise<void> => {
      const { socket, heard } = await client(receiver);
      const close = how === 'close' ? frame(2 + count, '', 'close') : '';
      socket.write(open + messages(2, count, (txnr) => `${text} ${txnr}`) + close);
      await until(() => heard().includes(ok(1 + count)), patience);
      if (how === 'cut') socket.destroy();
      if (!socket.closed) await once(socket, 'close');
      // The receiver's own side has to have ended too before the next one begins.
      await wait(50);
    };
    const numbered = (text: string, count: number): string[] =>
      Array.from({ length: count }, (_, i) => `${text} ${2 + i}`);
    await say('first', 200, 'close');
    await say('second', 30, 'cut');
    await say('third', 200, 'cut');
    await say('fourth', 200, 'close');
    await say('fifth', 200, 'close');
    // The third had 200 on their way at once: more than librelp's window, and so that sender's may be as large.
    assert.deepEqual(
      marked(receiver).join(),
      [...numbered('first', 128), ...numbered('third', 30), ...numbered('fourth', 200)].join(),
    );
    assert.equal(receiver.lines('relp').length, 830);
  });

  it('answers at a stop what is stored, and says goodbye', async (t) => {
    const receiver = await startRelp(t);
    const { socket, heard, hears } = await client(receiver);
    socket.write(open + messages(2, 100, (txnr) => `<13>${txnr}`) + '102 syslog 10 half');
    await until(() => heard().includes(ok(101)), patience);
    await receiver.stop();
    await hears(`${opened}${oks(2, 100)}0 serverclose 0\n`);
    assert.equal(receiver.lines('relp').length, 100, 'what the sender will send again is not stored by half');
  });

  it('loses and repeats nothing when senders are made to wait', async (t) => {
    const receiver = await startRelp(t, { highWater: 65_536, lowWater: 4096 });
    const count = 20_000;
    const clients = await Promise.all([1, 2, 3].map(() => client(receiver)));
    for (const [i, { socket }] of clients.entries())
      socket.write(open + messages(2, count, (txnr) => `<13>${i} ${txnr} ${'.'.repeat(100)}`));
    for (const { heard } of clients)
      await until(() => heard().length === opened.length + oks(2, count).length, patience);
    for (const { hears, socket } of clients) {
      await hears(opened + oks(2, count));
      socket.destroy();
    }
    assert.equal(new Set(receiver.lines('relp')).size, 3 * count);
    assert.equal(receiver.lines('relp').length, 3 * count);
  });

  it('reads no more from one that does not read its answers', async (t) => {
    const receiver = await startRelp(t);
    const socket = await dial(receiver.port('relp'));
    socket.on('error', () => undefined);
    socket.pause();
    socket.write(open);
    let txnr = 2;
    // Until the kernel's buffers are full both ways: answers are as long as these messages.
    let isRefused = false;
    while (!isRefused) {
      if (socket.writableLength < 2 * 1024 * 1024) {
        socket.write(messages(txnr, 20_000, () => 'x'));
        txnr += 20_000;
      }
      const before = socket.bytesWritten - socket.writableLength;
      await wait(socket.writableLength < 2 * 1024 * 1024 ? 5 : 500);
      isRefused = socket.writableLength > 0 && socket.bytesWritten - socket.writableLength === before;
      assert.ok(txnr < 4_000_000, 'its messages wait');
    }
    socket.resume();
    let answers = 0;
    let end = '';
    socket.on('data', (chunk: Buffer) => {
      answers += chunk.length;
      end = (end + chunk.toString('latin1')).slice(-30);
    });
    await until(() => end.endsWith(`\n${ok(txnr - 1)}`));
    assert.ok(end.endsWith(`\n${ok(txnr - 1)}`), 'and go on when it reads');
    assert.equal(answers, opened.length + oks(2, txnr - 2).length);
    socket.destroy();
  });

  it('over TLS knows the sender by the name in its certificate', async (t) => {
    const authority = testAuthority(t);
    const receiver = await start(t, ['relp-tls'], {}, '127.0.0.1', () => undefined, { tls: authority.files });
    const { key, certificate } = authority.issue('web1.example');
    const socket = connect({
      port: receiver.port('relpTls'),
      host: '127.0.0.1',
      servername: 'localhost',
      ca: readFileSync(authority.files.authority),
      key: readFileSync(key),
      cert: readFileSync(certificate),
    });
    const { hears } = clientOf(socket);
    socket.write(open + frame(2, '<13>secret') + frame(3, '', 'close'));
    await hears(`${opened}${oks(2, 2)}0 serverclose 0\n`);
    const delivery = receiver.stored().find(({ listener }) => listener.startsWith('relp-tls'));
    assert.equal(delivery?.tlsName, 'web1.example');
  });
});
