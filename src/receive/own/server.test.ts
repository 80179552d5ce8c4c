import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '#base/clock';
import type { StateDirectory } from '#base/state';
import { Framing } from '#vault/record';
import { startReceiver } from '../index.ts';
import { connectOwn } from '../testing/own-client.ts';
import { dial, prepareState, spawnReceiver, start, until } from '../testing/receiver.ts';
import { linesOf, readStored } from '../testing/stored.ts';
import { encodeOwnFrame } from '#wire/own-frame';

const quiet = (state: StateDirectory) => ({
  state,
  listen: [],
  clock: systemClock(),
  log: () => undefined,
  onFault: assert.ifError,
});

const sequencesIn = (intake: string, stream: string): Set<number> =>
  new Set(
    readStored(intake)
      .deliveries.filter((delivery) => delivery.stream === stream)
      .flatMap(linesOf)
      .map(({ sequence }) => sequence),
  );

describe('run/own.sock', () => {
  it('stores what a process says under its name and stream, and acknowledges when it is durable', async (t) => {
    const receiver = await start(t, []);
    assert.equal(statSync(receiver.state.ownSocket).mode & 0o777, 0o660);
    const client = await connectOwn(receiver.state.ownSocket, 'agent', 'agent-1');
    client.send(1, 'one\nwith a line feed');
    client.send(2, Buffer.from([0, 255, 10]));
    await client.ackOf(2);
    assert.equal(client.acked, 2);
    const stored = receiver.stored();
    assert.ok(stored.every(({ framing, listener }) => framing === Framing.own && listener === 'own'));
    assert.deepEqual([stored[0]?.peer, stored[0]?.stream, stored[0]?.sequence], ['agent', 'agent-1', 1]);
    const lines = stored.flatMap(linesOf);
    assert.deepEqual(
      lines.map(({ sequence, raw }) => [sequence, raw.toString('latin1')]),
      [
        [1, 'one\nwith a line feed'],
        [2, '\0\xff\n'],
      ],
    );
    assert.deepEqual(JSON.parse(lines[0]?.meta ?? ''), { via: 'self', host: 'test' });
    client.socket.destroy();
  });

  it('takes frames however they are split, up to 16 MiB, and begins anywhere in a stream', async (t) => {
    const receiver = await start(t, []);
    const client = await connectOwn(receiver.state.ownSocket, 'agent', 's');
    const bytes = Buffer.concat([
      encodeOwnFrame(7, Buffer.from('{}'), Buffer.from('seven')),
      encodeOwnFrame(8, Buffer.from('{}'), Buffer.from('8')),
    ]);
    client.socket.setNoDelay(true);
    for (const byte of bytes) {
      client.socket.write(Buffer.from([byte]));
      await wait(1);
    }
    const large = Buffer.alloc(16 * 1024 * 1024, 'large ');
    client.send(9, large);
    await client.ackOf(9);
    assert.equal(client.acked, 9);
    const lines = receiver.stored().flatMap(linesOf);
    assert.deepEqual(
      lines.map(({ sequence }) => sequence),
      [7, 8, 9],
    );
    assert.deepEqual(lines[2]?.raw, large);
    client.socket.destroy();
  });

  it('ends a connection that does not keep to the protocol, after acknowledging what was good', async (t) => {
    const receiver = await start(t, []);
    const broken = async (bytes: Buffer): Promise<number> => {
      const client = await connectOwn(receiver.state.ownSocket, 'broken', 'b');
      const closed = once(client.socket, 'close');
      client.send(1, 'good');
      client.socket.write(bytes);
      await closed;
      return client.acked;
    };
    const tooLong = encodeOwnFrame(2, Buffer.from('{}'), Buffer.alloc(0));
    tooLong.writeUInt32BE(16 * 1024 * 1024 + 1, tooLong.length - 4);
    assert.equal(await broken(tooLong), 1);
    assert.equal(await broken(encodeOwnFrame(0, Buffer.alloc(0), Buffer.alloc(0))), 1);
    const nameless = await connectOwn(receiver.state.ownSocket, '', 's');
    await once(nameless.socket, 'close');
    const wide = await connectOwn(receiver.state.ownSocket, 'agent', '€'.repeat(100));
    await once(wide.socket, 'close');
    assert.equal(receiver.logged.filter((line) => line.includes('broke the protocol')).length, 4);
    const after = await connectOwn(receiver.state.ownSocket, 'agent', 's');
    after.send(1, 'still served');
    await after.ackOf(1);
    assert.equal(after.acked, 1);
    after.socket.destroy();
  });

  it('shares commits between many small messages', async (t) => {
    const receiver = await start(t, []);
    const client = await connectOwn(receiver.state.ownSocket, 'agent', 's');
    for (let i = 1; i <= 5000; i += 1) client.send(i, `line ${i}`);
    await client.ackOf(5000);
    assert.equal(client.acked, 5000);
    assert.ok(client.acks.length < 200, `${client.acks.length} acknowledgements for 5000 lines`);
    assert.ok(client.acks.every((ack, i) => ack > (client.acks[i - 1] ?? 0)));
    client.socket.destroy();
  });

  it('acknowledges at a stop all that it took', async (t) => {
    const receiver = await start(t, []);
    const client = await connectOwn(receiver.state.ownSocket, 'agent', 's');
    for (let i = 1; i <= 1000; i += 1) client.send(i, `line ${i}`);
    await client.ackOf(1);
    await receiver.stop();
    await until(() => client.socket.destroyed);
    const stored = sequencesIn(receiver.state.intake, 's');
    assert.equal(client.acked, stored.size);
    assert.ok(client.acked > 0);
  });

  it('replaces the socket of a killed receiver, but neither a live one nor another file', async (t) => {
    const state = prepareState(t);
    const first = await spawnReceiver(t, state);
    await assert.rejects(startReceiver(quiet(state)), { code: 'own-socket-in-use' });
    first.child.kill('SIGKILL');
    await first.exited;
    assert.ok(statSync(state.ownSocket).isSocket());
    const second = await startReceiver(quiet(state));
    await second.stop();
    writeFileSync(state.ownSocket, 'precious');
    await assert.rejects(startReceiver(quiet(state)), { code: 'own-socket-path' });
    assert.equal(readFileSync(state.ownSocket, 'utf8'), 'precious');
  });

  it('names the address and the remedy when it is taken', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const bound = server.address();
    const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
    const listen = [{ kind: 'syslog-tcp' as const, host: '127.0.0.1', port }];
    const state = prepareState(t);
    await assert.rejects(startReceiver({ ...quiet(state), listen }), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'address-in-use');
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}.*--listen`));
      return true;
    });
    const elsewhere = [{ kind: 'syslog-udp' as const, host: '192.0.2.1', port: 0 }];
    await assert.rejects(startReceiver({ ...quiet(state), listen: elsewhere }), {
      code: 'address-unavailable',
    });
  });
});

describe('the receiver process', () => {
  it('has stored every line that it acknowledged when it is killed under load', async (t) => {
    const state = prepareState(t);
    for (let round = 0; round < 3; round += 1) {
      const receiver = await spawnReceiver(t, state);
      const stream = `round-${round}`;
      const client = await connectOwn(state.ownSocket, 'agent', stream);
      const port = Number(receiver.addresses['syslogTcp']?.split(':')[1]);
      const noise = await dial(port);
      noise.on('error', () => undefined);
      let sequence = 0;
      const load = setInterval(() => {
        for (let i = 0; i < 200; i += 1) client.send((sequence += 1), `line ${sequence} ${'.'.repeat(300)}`);
        noise.write(`<13>noise ${'.'.repeat(500)}\n`.repeat(200));
      }, 2);
      await client.ackOf(500);
      await wait(50 + round * 70);
      receiver.child.kill('SIGKILL');
      await receiver.exited;
      clearInterval(load);
      noise.destroy();
      await until(() => client.socket.destroyed);
      const stored = sequencesIn(state.intake, stream);
      assert.ok(client.acked >= 500);
      for (let i = 1; i <= client.acked; i += 1)
        assert.ok(stored.has(i), `line ${i} of ${client.acked} acknowledged`);
    }
    assert.equal(new Set(readStored(state.intake).files).size, 3, 'a file of its own for each start');
  });

  it('stops in order when its supervisor goes, and leaves no socket', async (t) => {
    const state = prepareState(t);
    const receiver = await spawnReceiver(t, state);
    const client = await connectOwn(state.ownSocket, 'agent', 's');
    client.send(1, 'last words');
    receiver.child.stdin?.end();
    assert.equal(await receiver.exited, '0', receiver.stderr());
    assert.throws(() => statSync(state.ownSocket), { code: 'ENOENT' });
    assert.equal(sequencesIn(state.intake, 's').size, client.acked);
  });

  it('ends, and acknowledges nothing more, when the disk does not keep its word', async (t) => {
    try {
      execFileSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'pipe' });
    } catch {
      return t.skip('strace is not installed or may not trace');
    }
    const state = prepareState(t);
    // strace counts calls by thread, so there is one thread only.
    const inject = [
      'strace',
      '-f',
      '-qq',
      '-o',
      '/dev/null',
      '-e',
      'trace=fdatasync',
      '-e',
      'inject=fdatasync:error=EIO:when=3+',
    ];
    const receiver = await spawnReceiver(t, state, { prefix: inject, env: { UV_THREADPOOL_SIZE: '1' } });
    const client = await connectOwn(state.ownSocket, 'agent', 's');
    for (let i = 1; i <= 2; i += 1) {
      client.send(i, 'kept');
      await client.ackOf(i);
    }
    client.send(3, 'not kept');
    assert.equal(await receiver.exited, 1);
    await until(() => client.socket.destroyed);
    assert.equal(client.acked, 2);
    assert.match(receiver.stderr(), /EIO.*check the disk/);
  });

  it('runs as a user who owns nothing but intake and run', async (t) => {
    if (process.getuid?.() !== 0) return t.skip('giving the process another uid needs root');
    const state = prepareState(t);
    const nobody = 65_534;
    execFileSync('chmod', ['755', state.root]);
    for (const path of [state.intake, state.run]) chownSync(path, nobody, nobody);
    const receiver = await spawnReceiver(t, state, { uid: nobody, gid: nobody });
    const client = await connectOwn(state.ownSocket, 'agent', 's');
    client.send(1, 'hello');
    await client.ackOf(1);
    assert.equal(client.acked, 1);
    client.socket.destroy();
    receiver.child.kill('SIGTERM');
    assert.equal(await receiver.exited, '0', receiver.stderr());
  });
});
