import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as dialPlain } from 'node:net';
import { test } from 'node:test';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { allowedByDefault } from '#wire/listen';
import { testAuthority, type Holder, type TestAuthority } from '../testing/authority.ts';
import { start, until, type Started } from '../testing/receiver.ts';

const shown = ({ key, certificate }: Holder): ConnectionOptions => ({
  key: readFileSync(key),
  cert: readFileSync(certificate),
});

const dial = async (
  port: number,
  { files }: TestAuthority,
  more: ConnectionOptions = {},
): Promise<TLSSocket> => {
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: readFileSync(files.authority),
    ...more,
  });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect').catch(() => undefined);
  return socket;
};

const refusals = (receiver: Started): { cause: string; sender: string; count: number }[] =>
  receiver
    .lines('receiver')
    .map((line) => JSON.parse(line))
    .filter(({ kind }) => kind === 'refusal');

test('syslog over TLS: certified senders speak, with their name; others are refused and counted', async (t) => {
  const authority = testAuthority(t);
  const stranger = testAuthority(t);
  const receiver = await start(t, ['syslog-tls'], {}, '127.0.0.1', () => undefined, { tls: authority.files });
  const port = receiver.port('syslogTls');

  const web = await dial(port, authority, shown(authority.issue('web1.example')));
  web.end('10 <13>octets\n<13>then by line\n');
  await until(() => receiver.lines('syslog-tls').length === 2);
  assert.deepEqual(receiver.lines('syslog-tls'), ['<13>octets', '<13>then by line']);
  assert.deepEqual(
    new Set(
      receiver
        .stored()
        .filter(({ listener }) => listener.startsWith('syslog-tls'))
        .map(({ tlsName }) => tlsName),
    ),
    new Set(['web1.example']),
  );

  const refused = [
    await dial(port, authority),
    await dial(port, authority, shown(stranger.issue('web1.example'))),
  ];
  for (const socket of refused) {
    socket.write('<13>forged\n');
    if (!socket.closed) await once(socket, 'close');
  }
  const plain = dialPlain(port, '127.0.0.1');
  plain.on('error', () => undefined);
  plain.end('<13>not TLS at all\n');
  await once(plain, 'close');
  await until(() => refusals(receiver).length >= 2);
  assert.equal(receiver.lines('syslog-tls').length, 2, 'nothing of theirs is stored');
  const counted = new Map<string, number>();
  for (const { cause, sender, count } of refusals(receiver)) {
    assert.equal(sender, '127.0.0.1');
    counted.set(cause, (counted.get(cause) ?? 0) + count);
  }
  assert.deepEqual(
    counted,
    new Map([
      ['no certificate', 2],
      ['tls handshake', 1],
    ]),
  );
});

test('a revoked certificate and a name that is not allowed are refused, also once the receiver runs', async (t) => {
  const authority = testAuthority(t);
  const [good, bad, other] = [authority.issue('web1'), authority.issue('web2'), authority.issue('db1')];
  const receiver = await start(t, ['syslog-tls'], {}, '127.0.0.1', () => undefined, {
    tls: authority.files,
    allowed: { ...allowedByDefault, names: ['web*'] },
  });
  const port = receiver.port('syslogTls');
  const say = async (holder: Holder, line: string): Promise<void> => {
    const socket = await dial(port, authority, shown(holder));
    socket.end(`${line}\n`);
    if (!socket.closed) await once(socket, 'close');
  };
  await say(bad, '<13>still good');
  await until(() => receiver.lines('syslog-tls').length === 1);
  writeFileSync(authority.files.revoked, `${bad.serial.toLowerCase()}\n`);
  await until(() => receiver.logged.some((line) => line.includes('read again')));
  await say(bad, '<13>revoked');
  await say(other, '<13>not allowed');
  await say(good, '<13>good');
  await until(() => receiver.lines('syslog-tls').length === 2 && refusals(receiver).length === 2);
  assert.deepEqual(receiver.lines('syslog-tls'), ['<13>still good', '<13>good']);
  assert.deepEqual(
    refusals(receiver)
      .map(({ cause }) => cause)
      .toSorted(),
    ['refused sender', 'revoked certificate'],
  );
});

test('TLS 1.1 is refused, 1.2 is not', async (t) => {
  const authority = testAuthority(t);
  const receiver = await start(t, ['syslog-tls'], {}, '127.0.0.1', () => undefined, {
    tls: authority.files,
    allowed: { ...allowedByDefault, certificates: 'optional' },
  });
  const port = receiver.port('syslogTls');
  const old = connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    minVersion: 'TLSv1.1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  await assert.rejects(once(old, 'secureConnect'), /protocol version/);
  const socket = await dial(port, authority, { maxVersion: 'TLSv1.2' });
  assert.equal(socket.getProtocol(), 'TLSv1.2');
  socket.end('<13>without a certificate, from this machine\n');
  await until(() => receiver.lines('syslog-tls').length === 1);
});

test('without usable files there is no listener', async (t) => {
  await assert.rejects(start(t, ['syslog-tls']), { code: 'tls-files' });
  const { files } = testAuthority(t);
  const tls = { ...files, key: files.authority };
  await assert.rejects(
    start(t, ['syslog-tls'], {}, '127.0.0.1', () => undefined, { tls }),
    { code: 'tls-files' },
  );
});

test('connections that never come through their handshake count against the limit, and are counted as they go', async (t) => {
  const authority = testAuthority(t);
  const receiver = await start(t, ['syslog-tls'], { maxConnections: 16 }, '127.0.0.1', () => undefined, {
    tls: authority.files,
  });
  const port = receiver.port('syslogTls');
  // One address may have half of the connections.
  const silent = Array.from({ length: 8 }, () => dialPlain(port, '127.0.0.1'));
  for (const socket of silent) socket.on('error', () => undefined);
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  const refused = dialPlain(port, '127.0.0.1');
  refused.on('error', () => undefined);
  await once(refused, 'close');
  for (const socket of silent) socket.resetAndDestroy();
  const counted = (cause: string): number =>
    refusals(receiver)
      .filter((refusal) => refusal.cause === cause)
      .reduce((sum, { count }) => sum + count, 0);
  await until(() => counted('tls handshake') === 8 && counted('sender connections') === 1);
  assert.deepEqual([counted('tls handshake'), counted('sender connections')], [8, 1]);
  const good = await dial(port, authority, shown(authority.issue('web1.example')));
  good.end('<13>there is room again\n');
  await until(() => receiver.lines('syslog-tls').length === 1);
  assert.deepEqual(receiver.lines('syslog-tls'), ['<13>there is room again']);
});

test('a connection that lasts ends when its certificate is revoked', async (t) => {
  const authority = testAuthority(t);
  const web = authority.issue('web1');
  const receiver = await start(t, ['syslog-tls'], {}, '127.0.0.1', () => undefined, { tls: authority.files });
  const socket = await dial(receiver.port('syslogTls'), authority, shown(web));
  socket.write('<13>before\n');
  await until(() => receiver.lines('syslog-tls').length === 1);
  const closed = once(socket, 'close');
  writeFileSync(authority.files.revoked, `${web.serial}\n`);
  await closed;
  await until(() => refusals(receiver).length === 1);
  assert.deepEqual(
    refusals(receiver).map(({ cause, sender }) => [cause, sender]),
    [['revoked certificate', '127.0.0.1']],
  );
  // That the list is gone is no reason to let it in again.
  rmSync(authority.files.revoked);
  await until(() => receiver.logged.some((line) => line.includes('stays so')));
  const again = await dial(receiver.port('syslogTls'), authority, shown(web));
  again.end('<13>after\n');
  if (!again.closed) await once(again, 'close');
  assert.deepEqual(receiver.lines('syslog-tls'), ['<13>before']);
});
