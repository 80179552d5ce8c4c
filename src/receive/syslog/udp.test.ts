import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { describe, it, type TestContext } from 'node:test';
import { Framing } from '#vault/record';
import { start, until } from '../testing/receiver.ts';
import { linesOf } from '../testing/stored.ts';
import { dropsOf, kernelAddress, readKernelDrops } from './kernel-drops.ts';

const sender = async (t: TestContext, type: 'udp4' | 'udp6', port: number): Promise<Socket> => {
  const socket = createSocket(type);
  t.after(() => socket.close());
  await new Promise<void>((resolve) => socket.connect(port, type === 'udp4' ? '127.0.0.1' : '::1', resolve));
  return socket;
};

describe('syslog over UDP', () => {
  it('stores each datagram as a line of its own, whatever is in it', async (t) => {
    const receiver = await start(t, ['syslog-udp']);
    const port = receiver.port('syslogUdp');
    const socket = await sender(t, 'udp4', port);
    const datagrams = ['<13>one', 'two\nlines\n', '', '\0\xff', 'x'.repeat(60_000)].map((text) =>
      Buffer.from(text, 'latin1'),
    );
    for (const datagram of datagrams) socket.send(datagram);
    const lines = (): Buffer[] =>
      receiver
        .stored()
        .flatMap(linesOf)
        .map(({ raw }) => raw);
    await until(() => lines().length === datagrams.length);
    assert.deepEqual(lines(), datagrams);
    for (const delivery of receiver.stored()) {
      assert.equal(delivery.framing, Framing.datagrams);
      assert.equal(delivery.listener, `syslog-udp=127.0.0.1:${port}`);
      assert.equal(delivery.peer, `127.0.0.1:${socket.address().port}`);
    }
  });

  it('stores what several senders send at once under the name of each, in the order of each', async (t) => {
    const receiver = await start(t, ['syslog-udp']);
    const port = receiver.port('syslogUdp');
    const sockets = await Promise.all([1, 2, 3].map(() => sender(t, 'udp4', port)));
    const each = 40;
    for (let i = 0; i < each; i += 1) for (const socket of sockets) socket.send(`<13>${i}`);
    await until(() => receiver.lines('syslog-udp').length === each * sockets.length);
    for (const socket of sockets) {
      const own = receiver
        .stored()
        .filter(({ peer }) => peer === `127.0.0.1:${socket.address().port}`)
        .flatMap(linesOf);
      assert.deepEqual(
        own.map(({ raw }) => raw.toString()),
        Array.from({ length: each }, (_, i) => `<13>${i}`),
      );
    }
    assert.ok(receiver.stored().length < each * sockets.length, 'some share a delivery');
  });

  it('listens on IPv6 too', async (t) => {
    const receiver = await start(t, ['syslog-udp', 'syslog-tcp'], {}, '[::1]');
    assert.match(receiver.receiver.addresses['syslogUdp'] ?? '', /^\[::1\]:\d+$/);
    const socket = await sender(t, 'udp6', receiver.port('syslogUdp'));
    socket.send('<13>six');
    await until(() => receiver.stored().length === 1);
    assert.equal(receiver.stored()[0]?.peer, `[::1]:${socket.address().port}`);
    assert.equal((await readKernelDrops('::1', receiver.port('syslogUdp'))).result, 'clean');
  });

  it('says when the kernel grants a smaller buffer than asked', async (t) => {
    const receiver = await start(t, ['syslog-udp'], { udpBuffer: 1024 * 1024 * 1024 });
    assert.match(receiver.logged.join('\n'), /warning: syslog-udp=.*net\.core\.rmem_max/);
  });

  it('counts every datagram that the kernel dropped, as a line in the log', async (t) => {
    const receiver = await start(t, ['syslog-udp'], { udpBuffer: 4096 });
    const port = receiver.port('syslogUdp');
    const socket = await sender(t, 'udp4', port);
    const sent = 2000;
    // Sent without a turn of the event loop between: receiver and sender share it, so the small buffer overflows.
    let left = sent;
    await new Promise<void>((resolve) => {
      for (let i = 0; i < sent; i += 1) {
        socket.send(`<13>burst ${i} ${'.'.repeat(200)}`, () => {
          left -= 1;
          if (left === 0) resolve();
        });
      }
    });
    const lost = (): number =>
      receiver
        .lines('receiver')
        .map((line) => JSON.parse(line))
        .filter(({ kind, cause }) => kind === 'loss' && cause === 'kernel udp drop')
        .reduce((sum, { count }) => sum + count, 0);
    const got = (): number => receiver.lines('syslog-udp').length;
    await until(() => got() + lost() === sent);
    assert.ok(lost() > 0, 'the burst was meant to overflow the buffer');
    assert.equal(got() + lost(), sent);
    assert.equal((await readKernelDrops('127.0.0.1', port)).result, 'found');
  });

  it('drops and counts what comes in while too much waits for the disk', async (t) => {
    const receiver = await start(t, ['syslog-udp'], { dropAbove: 2000 });
    const socket = await sender(t, 'udp4', receiver.port('syslogUdp'));
    const sent = 500;
    for (let i = 0; i < sent; i += 1) socket.send(`<13>${i} ${'.'.repeat(500)}`);
    const lost = (): number =>
      receiver
        .lines('receiver')
        .map((line) => JSON.parse(line))
        .filter(({ cause }) => cause === 'receiver congested')
        .reduce((sum, { count }) => sum + count, 0);
    await until(() => receiver.lines('syslog-udp').length + lost() === sent);
    await receiver.stop();
    assert.ok(lost() > 0);
    assert.equal(receiver.lines('syslog-udp').length + lost(), sent);
  });
});

describe('drops column of /proc/net/udp', () => {
  it('finds the socket by its address as the kernel writes it', { skip: process.arch !== 'x64' }, () => {
    const table =
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n' +
      ' 1234: 0100007F:158A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1811 2 0000000000000000 417\n';
    assert.equal(kernelAddress('127.0.0.1', 5514), '0100007F:158A');
    assert.equal(kernelAddress('::1', 514), '00000000000000000000000001000000:0202');
    assert.equal(kernelAddress('2001:db8::7', 514), 'B80D0120000000000000000007000000:0202');
    assert.equal(dropsOf(table, '0100007F:158A'), 417);
    assert.equal(dropsOf(table, '0100007F:158B'), null);
  });

  it('does not pass for clean where there is no such socket', async () => {
    assert.equal((await readKernelDrops('127.0.0.1', 1)).result, 'could-not-look');
  });
});
