import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Flag, Framing } from '#vault/record';
import { linesOf } from '../testing/stored.ts';
import { dial, start, until } from '../testing/receiver.ts';

describe('syslog over TCP', () => {
  it('stores exactly what came, with time, listener and peer, and both framings on one port', async (t) => {
    const receiver = await start(t, ['syslog-tcp']);
    const port = receiver.port('syslogTcp');
    const before = Date.now() * 1000;
    const [newline, octets] = [await dial(port), await dial(port)];
    const peers = [newline, octets].map(({ localPort }) => `127.0.0.1:${localPort}`);
    newline.end(Buffer.from('<13>new\0line \xff\xfe\n<13>two\n', 'latin1'));
    octets.end('11 <13>two\nrow7 <13>one');
    await until(() => receiver.lines('syslog-tcp').length === 4);
    const stored = receiver.stored();
    const of = (framing: Framing) => stored.filter((delivery) => delivery.framing === framing);
    assert.deepEqual(
      of(Framing.newline)
        .flatMap(linesOf)
        .map(({ raw }) => raw.toString('latin1')),
      ['<13>new\0line \xff\xfe', '<13>two'],
    );
    assert.deepEqual(
      of(Framing.octetCounted)
        .flatMap(linesOf)
        .map(({ raw }) => raw.toString('latin1')),
      ['<13>two\nrow', '<13>one'],
    );
    assert.deepEqual([of(Framing.newline)[0]?.peer, of(Framing.octetCounted)[0]?.peer], peers);
    for (const delivery of stored) {
      assert.equal(delivery.listener, `syslog-tcp=127.0.0.1:${port}`);
      assert.ok(delivery.received >= before - 2000 && delivery.received <= Date.now() * 1000 + 2000);
    }
  });

  it('keeps the line that a reset connection did not end', async (t) => {
    const receiver = await start(t, ['syslog-tcp']);
    const socket = await dial(receiver.port('syslogTcp'));
    socket.write('<13>whole\n<13>half');
    // What a reset comes before is not there to be read.
    await until(() => receiver.lines('syslog-tcp').length === 1);
    socket.resetAndDestroy();
    await until(() => receiver.lines('syslog-tcp').length === 2);
    const stored = receiver.stored();
    assert.deepEqual(receiver.lines('syslog-tcp'), ['<13>whole', '<13>half']);
    assert.deepEqual(
      stored.map(({ flags }) => flags),
      [0, Flag.torn],
    );
    const causes = (): unknown[] => receiver.lines('receiver').map((line) => JSON.parse(line).cause);
    await until(() => causes().length === 2);
    assert.deepEqual(causes().toSorted(), ['connection reset', 'line without end']);
  });

  it('counts what connections left unfinished, by sender', async (t) => {
    const receiver = await start(t, ['syslog-tcp']);
    const port = receiver.port('syslogTcp');
    for (const left of ['<13>no end', '30 <13>shorter than that']) (await dial(port)).end(left);
    const whole = await dial(port);
    whole.end('<13>whole\n');
    const told = () => receiver.lines('receiver').map((line) => JSON.parse(line));
    await until(() => told().length === 2);
    assert.deepEqual(
      told()
        .map(({ kind, cause, sender, count, bytes }) => [kind, cause, sender, count, bytes])
        .toSorted(),
      [
        ['torn', 'cut frame', '127.0.0.1', 1, 24],
        ['torn', 'line without end', '127.0.0.1', 1, 10],
      ],
    );
    await until(() => receiver.lines('syslog-tcp').length === 3);
  });

  it('leaves room for others when one sender opens all the connections that it may', async (t) => {
    const receiver = await start(t, ['syslog-tcp'], { maxConnections: 16, sender: { connections: 8 } });
    const port = receiver.port('syslogTcp');
    const greedy = Array.from({ length: 20 }, () => connect({ port, host: '127.0.0.1' }));
    let closed = 0;
    for (const socket of greedy) {
      socket.on('error', () => undefined);
      socket.on('close', () => (closed += 1));
      socket.resume();
    }
    await until(() => closed === 12);
    const other = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    other.end('<13>heard\n');
    await until(() => receiver.lines('syslog-tcp').length === 1);
    assert.deepEqual(receiver.lines('syslog-tcp'), ['<13>heard']);
    for (const socket of greedy) socket.destroy();
    await receiver.stop();
    const told = receiver.lines('receiver').map((line) => JSON.parse(line));
    assert.deepEqual(
      [told.reduce((sum, { count }) => sum + count, 0), new Set(told.map(({ cause }) => cause))],
      [12, new Set(['sender connections'])],
    );
    assert.equal(told[0].sender, '127.0.0.1');
  });

  it('takes lines of megabytes over a real socket', async (t) => {
    const receiver = await start(t, ['syslog-tcp']);
    const long = Buffer.alloc(5 * 1024 * 1024, '0123456789abcdef-');
    const socket = await dial(receiver.port('syslogTcp'));
    socket.end(Buffer.concat([long, Buffer.from('\n<13>after\n')]));
    await once(socket, 'close');
    await until(() => receiver.lines('syslog-tcp').includes('<13>after'));
    const lines = receiver.stored().flatMap(linesOf);
    const parts = lines.filter(({ flags }) => (flags & Flag.part) !== 0);
    assert.deepEqual(Buffer.concat(parts.map(({ raw }) => raw)), long);
    assert.equal(parts.at(-1)?.flags, Flag.part | Flag.lastPart);
    assert.equal(lines.at(-1)?.raw.toString(), '<13>after');
  });

  it('says in the log that a sender lost its octet counts', async (t) => {
    const receiver = await start(t, ['syslog-tcp']);
    const socket = await dial(receiver.port('syslogTcp'));
    socket.end('5 <13>too small a count\n');
    await until(() => receiver.lines('receiver').length === 1);
    const line = JSON.parse(receiver.lines('receiver')[0] ?? '{}');
    assert.deepEqual(
      [line.kind, line.cause, line.sender, line.count],
      ['framing', 'no octet count', '127.0.0.1', 1],
    );
    await until(() => receiver.lines('syslog-tcp').length === 2);
    assert.deepEqual(receiver.lines('syslog-tcp'), ['<13>t', 'oo small a count']);
  });

  it('loses no line of senders that are made to wait', async (t) => {
    const receiver = await start(t, ['syslog-tcp'], { highWater: 65_536, lowWater: 4096 });
    const lines = Array.from({ length: 20_000 }, (_, i) => `<13>line ${i} ${'.'.repeat(100)}`);
    const sockets = await Promise.all([1, 2, 3].map(() => dial(receiver.port('syslogTcp'))));
    const peers = sockets.map(({ localPort }) => `127.0.0.1:${localPort}`);
    for (const socket of sockets) socket.resume().end(`${lines.join('\n')}\n`);
    await Promise.all(sockets.map((socket) => once(socket, 'close')));
    await receiver.stop();
    const held = receiver
      .lines('receiver')
      .map((line) => JSON.parse(line))
      .filter(({ kind }) => kind === 'backpressure');
    assert.ok(held.length > 0, 'the senders were meant to be held back');
    assert.ok(
      held.every(({ cause, seconds, count }) => cause === 'disk behind' && seconds >= 0 && count > 0),
    );
    for (const peer of peers) {
      const own = receiver.stored().filter((delivery) => delivery.peer === peer);
      const came = own.flatMap(linesOf).map(({ raw }) => raw.toString());
      assert.equal(came.length, lines.length);
      assert.ok(came.every((line, i) => line === lines[i]));
    }
  });

  it('makes senders wait while the disk is full, and stores everything when there is space', async (t) => {
    if (process.getuid?.() !== 0) return t.skip('mounting a small tmpfs needs root');
    const receiver = await start(
      t,
      ['syslog-tcp'],
      { highWater: 65_536, lowWater: 4096 },
      '127.0.0.1',
      (state) => execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', state.intake]),
    );
    try {
      const text = Array.from({ length: 100_000 }, (_, i) => `<13>line ${i} ${'.'.repeat(200)}\n`).join('');
      const socket = await dial(receiver.port('syslogTcp'));
      socket.resume().end(text);
      await until(() => receiver.logged.some((line) => line.includes('no space left')));
      await wait(1000);
      assert.equal(socket.writableFinished, false, 'the sender waits');
      assert.match(receiver.logged.join('\n'), /error: .* no space left/);
      execFileSync('mount', ['-o', 'remount,size=64m', receiver.state.intake]);
      await once(socket, 'close');
      await receiver.stop();
      const lines = receiver.lines('syslog-tcp');
      assert.equal(lines.length, 100_000);
      assert.equal(`${lines.join('\n')}\n` === text, true);
      const said = receiver.lines('receiver').map((line) => JSON.parse(line).kind);
      assert.equal(said[0], 'disk-full', 'in room that was kept for it, while there was none');
    } finally {
      await receiver.stop();
      execFileSync('umount', [receiver.state.intake]);
    }
  });

  it('refuses connections beyond the limit, counts them, and takes new ones when others have gone', async (t) => {
    const receiver = await start(t, ['syslog-tcp'], {
      maxConnections: 16,
      sender: { connections: 16 },
    });
    const port = receiver.port('syslogTcp');
    const sockets = await Promise.all(Array.from({ length: 16 }, () => dial(port)));
    const refused = await dial(port);
    refused.on('error', () => undefined);
    await once(refused, 'close');
    await until(() => receiver.lines('receiver').length > 0);
    const loss = JSON.parse(receiver.lines('receiver')[0] ?? '{}');
    assert.deepEqual(
      [loss.kind, loss.cause, loss.listener, loss.count],
      ['refusal', 'connection limit', `syslog-tcp=127.0.0.1:${port}`, 1],
    );
    for (const socket of sockets) socket.destroy();
    await wait(50);
    const late = await dial(port);
    late.end('<13>late\n');
    await until(() => receiver.lines('syslog-tcp').length === 1);
    assert.deepEqual(receiver.lines('syslog-tcp'), ['<13>late']);
  });

  it('stores at a stop what has already arrived', async (t) => {
    const receiver = await start(t, ['syslog-tcp']);
    const socket = await dial(receiver.port('syslogTcp'));
    socket.on('error', () => undefined);
    const text = Array.from({ length: 20_000 }, (_, i) => `<13>line ${i}\n`).join('');
    await new Promise((resolve) => socket.write(text, resolve));
    await receiver.stop();
    assert.equal(receiver.lines('syslog-tcp').length, 20_000);
  });
});
