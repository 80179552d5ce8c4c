import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { testAuthority } from '../../src/receive/testing/authority.ts';
import { linesOf } from '../../src/receive/testing/stored.ts';
import { full } from '../harness/up.ts';
import { closed, eventually, setStage, settled, stranger } from './stage.ts';

const handshakes = full ? 5000 : 200;
const halfOpen = full ? 2000 : 300;

/** What a client says first, as it would: begins a ClientHello that never ends. */
const beginnings = [
  Buffer.alloc(0),
  Buffer.from('16030102', 'hex'),
  Buffer.from('1603010200010001fc0303', 'hex'),
  Buffer.from('GET / HTTP/1.1\r\n'),
];

test('TLS: floods of handshakes, handshakes that never end, renegotiation, records of a byte', async (t) => {
  const authority = testAuthority(t);
  const web = authority.issue('web1.example');
  const shown = { key: readFileSync(web.key), cert: readFileSync(web.certificate) };
  const stage = await setStage(t, { tls: authority.files });
  const port = stage.port('syslogTls');
  const ca = readFileSync(authority.files.authority);
  const dial = (more: ConnectionOptions & { localAddress?: string }): TLSSocket => {
    const socket = connect({ port, host: '127.0.0.1', ca, servername: 'localhost', ...more });
    socket.on('error', () => undefined);
    socket.resume();
    return socket;
  };

  /** Left to the receiver, which cuts them off. */
  const silent = Array.from({ length: halfOpen }, (_, i) => stranger(port, `127.0.7.${1 + (i % 50)}`));
  await Promise.all(silent.map(settled));
  silent.forEach((socket, i) => socket.write(beginnings[i % beginnings.length] ?? ''));

  await stage.attack('handshakes', async () => {
    for (let made = 0; made < handshakes; made += 50)
      await Promise.all(
        Array.from({ length: 50 }, (_, i) => closed(dial({ localAddress: `127.0.6.${1 + i}` }))),
      );
    return `${handshakes} handshakes without a certificate`;
  });

  await stage.attack('renegotiation', async () => {
    const socket = dial({ ...shown, maxVersion: 'TLSv1.2' });
    await once(socket, 'secureConnect');
    socket.write('<13>before it renegotiates\n');
    const renegotiated = await new Promise<string>((resolve) => {
      for (const event of ['error', 'close']) socket.once(event, () => resolve('refused'));
      socket.renegotiate({ rejectUnauthorized: false }, () => resolve('renegotiated'));
    });
    assert.equal(renegotiated, 'refused');
    socket.destroy();
    return 'refused';
  });

  await stage.attack('records of a byte', async () => {
    const relayed = await singly(t, port);
    const socket = dial({ ...shown, port: relayed });
    await once(socket, 'secureConnect');
    socket.setNoDelay(true);
    for (const letter of '<13>in crumbs\n') {
      socket.write(letter);
      await wait(1);
    }
    socket.end();
    await closed(socket);
    return 'one line, each byte of each record by itself';
  });

  await stage.attack('half-open', async () => {
    await eventually(() => silent.every((socket) => socket.closed), 'the end of handshakes that never end');
    await wait(200);
    return `${halfOpen} connections that began a handshake are gone`;
  });

  const lines = (): string[] =>
    stage
      .stored()
      .filter(({ listener }) => listener.startsWith('syslog-tls='))
      .flatMap(linesOf)
      .map(({ raw }) => raw.toString());
  await eventually(() => lines().length === 2, 'both lines');
  await stage.stop();
  assert.deepEqual(lines().toSorted(), ['<13>before it renegotiates', '<13>in crumbs']);
  assert.equal(stage.counted('no certificate'), handshakes);
  assert.equal(stage.counted('tls handshake'), halfOpen);
});

/** A relay that passes each byte on by itself. @returns its port */
const singly = async (t: TestContext, port: number): Promise<number> => {
  const server = createServer((socket) => {
    const onward = stranger(port);
    onward.setNoDelay(true);
    const feed = async (): Promise<void> => {
      for await (const chunk of socket)
        for (const byte of chunk) {
          onward.write(Buffer.from([byte]));
          await new Promise((resolve) => setImmediate(resolve));
        }
      onward.end();
    };
    feed().catch(() => onward.destroy());
    onward.on('data', (bytes) => socket.write(bytes));
    onward.on('close', () => socket.destroy());
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const bound = server.address();
  return bound !== null && typeof bound === 'object' ? bound.port : 0;
};
