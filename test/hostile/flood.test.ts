import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, type Hash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Flag } from '#vault/record';
import { linesOf, type StoredDelivery } from '../../src/receive/testing/stored.ts';
import { full } from '../harness/up.ts';
import { grammar } from './grammar.ts';
import { mutate, random } from './random.ts';
import { closed, eventually, put, setStage, settled, stranger } from './stage.ts';

/**
 * A real receiver under what strangers may do to it: it does not die, its memory stays under a bound, another sender is
 * heard, and what came is stored or counted, each piece of it. Sampled in `npm test`; whole with `npm run test:hostile`.
 */
const seed = Number(process.env['HOLDFAST_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const frames = full ? 10_000_000 : 200_000;
const withoutNewline = (full ? 1024 : 128) * 1024 * 1024;
const churned = full ? 40_000 : 4000;

const byPeer = (stored: readonly StoredDelivery[], kind: string): Map<string, StoredDelivery[]> =>
  Map.groupBy(
    stored.filter(({ listener }) => listener.startsWith(`${kind}=`)),
    ({ peer }) => peer,
  );

/** What one peer sent, or what is stored of it, as it comes. LF between frames is framing, so it is left out on both sides. */
type Account = { hash: Hash; bytes: number };

const addTo = (account: Account, piece: Buffer): void => {
  const text = piece.toString('latin1').replaceAll('\n', '');
  account.hash.update(text, 'latin1');
  account.bytes += text.length;
};

const newAccount = (): Account => ({ hash: createHash('sha256'), bytes: 0 });
const shown = ({ hash, bytes }: Account): string => `${bytes} bytes, ${hash.digest('hex')}`;

test(`random and mutated frames on every listener (HOLDFAST_FUZZ_SEED=${seed})`, async (t) => {
  const stage = await setStage(t);
  const dice = random(seed);
  const ways = [
    { name: 'syslogTcp', make: grammar.syslog },
    { name: 'gelfTcp', make: grammar.gelf },
    { name: 'relp', make: grammar.relp },
    { name: 'http', make: grammar.line },
  ] as const;
  const perBurst = 6;
  /** By listener and peer: an address and port may come again, after a while. */
  const sent = new Map<string, Account>();
  let made = 0;
  let datagrams = 0;

  const udp = createSocket('udp4');
  t.after(() => udp.close());
  await stage.attack('frames', async () => {
    while (made < frames) {
      const sockets = await Promise.all(
        Array.from({ length: 12 }, async (_, i) => {
          const way = ways[i % ways.length] ?? ways[0];
          const socket = stranger(stage.port(way.name), `127.0.0.${10 + dice.below(200)}`);
          await settled(socket);
          const peer = `${socket.localAddress}:${socket.localPort}`;
          const key = `${way.name} ${peer}`;
          const account = sent.get(key) ?? newAccount();
          if (way.name === 'syslogTcp' || way.name === 'gelfTcp') sent.set(key, account);
          for (let burst = 0; burst < 100 && !socket.destroyed; burst += 1) {
            const good = way.make(dice);
            const input =
              dice.below(3) === 0 ? good : dice.below(4) === 0 ? dice.bytes(300) : mutate(good, dice);
            made += perBurst;
            addTo(account, input);
            await put(socket, input);
          }
          return socket;
        }),
      );
      for (let i = 0; i < 200; i += 1) {
        const input = dice.below(2) === 0 ? mutate(grammar.line(dice), dice) : dice.bytes(dice.below(1400));
        await new Promise<void>((resolve) =>
          udp.send(input, stage.port('syslogUdp'), '127.0.0.1', () => resolve()),
        );
        datagrams += 1;
        made += 1;
      }
      for (const socket of sockets) socket.end();
      await Promise.all(sockets.map(closed));
    }
    return `${made} frames of ${sent.size} peers, ${datagrams} datagrams`;
  });
  await stage.stop();

  const stored = stage.stored();
  for (const [kind, way] of [
    ['syslog-tcp', 'syslogTcp'],
    ['gelf-tcp', 'gelfTcp'],
  ] as const)
    for (const [peer, deliveries] of byPeer(stored, kind)) {
      const wanted = sent.get(`${way} ${peer}`);
      assert.ok(wanted !== undefined, `nobody sent from ${peer}`);
      const found = newAccount();
      for (const { raw } of deliveries) addTo(found, raw);
      assert.equal(shown(found), shown(wanted), `${kind} from ${peer} (seed ${seed})`);
      sent.delete(`${way} ${peer}`);
    }
  assert.deepEqual(
    [...sent].flatMap(([peer, { bytes }]) => (bytes > 0 ? [peer] : [])),
    [],
    'a connection of which nothing is there',
  );
  const kept = stored.filter(({ listener }) => listener.startsWith('syslog-udp=')).flatMap(linesOf).length;
  assert.equal(kept + stage.counted('kernel udp drop') + stage.counted('receiver congested'), datagrams);
  const torn = stored.filter(
    ({ listener, flags }) => /^(syslog|gelf)-tcp=/.test(listener) && (flags & Flag.torn) !== 0,
  );
  assert.equal(stage.counted('line without end') + stage.counted('cut frame'), torn.length);
});

test('a line without an end, counts that lie, senders of a byte now and then', async (t) => {
  const stage = await setStage(t);
  const port = stage.port('syslogTcp');
  const mebibyte = Buffer.alloc(1024 * 1024, 'no newline ');
  let peer = '';
  await stage.attack('without newline', async () => {
    const socket = stranger(port, '127.0.0.2');
    await settled(socket);
    peer = `${socket.localAddress}:${socket.localPort}`;
    for (let left = withoutNewline; left > 0; left -= mebibyte.length) await put(socket, mebibyte);
    socket.end();
    await closed(socket);
    return `${withoutNewline} bytes in one line`;
  });
  const liars = 1500;
  const share = Buffer.alloc(64 * 1024, 'x');
  await stage.attack('lying counts', async () => {
    const sockets = Array.from({ length: liars }, (_, i) => stranger(port, `127.0.1.${1 + (i % 20)}`));
    for (const socket of sockets) {
      await put(socket, Buffer.from('999999999 <13>'));
      await put(socket, share);
    }
    await wait(full ? 10_000 : 2000);
    for (const socket of sockets) socket.end();
    await Promise.all(sockets.map(closed));
    return `${liars} connections that promise a gigabyte each`;
  });
  await stage.attack('slow senders', async () => {
    const sockets = Array.from({ length: 500 }, (_, i) => stranger(port, `127.0.2.${1 + (i % 20)}`));
    const text = '<13>slow';
    for (let at = 0; at < text.length; at += 1) {
      for (const socket of sockets) socket.write(text.slice(at, at + 1));
      await wait(full ? 1000 : 250);
    }
    for (const socket of sockets) socket.end('\n');
    await Promise.all(sockets.map(closed));
    return '500 senders of a byte now and then';
  });
  await stage.stop();
  const stored = byPeer(stage.stored(), 'syslog-tcp');
  const whole = (stored.get(peer) ?? []).reduce((sum, { raw }) => sum + raw.length, 0);
  assert.equal(whole, withoutNewline, 'the line without an end is there, in parts');
  const lied = [...stored].filter(([from]) => from.startsWith('127.0.1.'));
  assert.equal(lied.length, liars);
  for (const [from, deliveries] of lied)
    assert.equal(
      deliveries.flatMap(linesOf).reduce((sum, { raw }) => sum + raw.length, 0),
      share.length + '<13>'.length,
      from,
    );
  assert.equal(stage.counted('cut frame'), liars);
  const slow = [...stored].filter(([from]) => from.startsWith('127.0.2.')).flatMap(([, one]) => one);
  assert.equal(slow.flatMap(linesOf).filter(({ raw }) => raw.toString() === '<13>slow').length, 500);
});

test('ten thousand idle connections, and connections that come and go', async (t) => {
  const wanted = 10_000;
  if (process.getuid?.() !== 0) return t.skip('only root may raise the limit on open files far enough');
  execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=20000:20000']);
  const stage = await setStage(t, { prefix: ['prlimit', '--nofile=20000:20000'] });
  const port = stage.port('syslogTcp');
  await stage.attack('idle connections', async () => {
    const began = Date.now();
    const sockets = Array.from({ length: wanted }, (_, i) => stranger(port, `127.0.3.${1 + (i % 50)}`));
    await eventually(() => sockets.every(({ connecting }) => !connecting), 'connections');
    // The companion has one of them, so the last is refused.
    await eventually(() => sockets.some((socket) => socket.closed), 'a refusal');
    await wait(1500);
    const refused = sockets.filter((socket) => socket.closed).length;
    assert.ok(refused >= 1 && refused < 10, `${refused} of ${wanted} were refused`);
    for (const socket of sockets) socket.destroy();
    await Promise.all(sockets.map(closed));
    return `${wanted - refused} at once within ${Date.now() - began} ms, ${refused} refused`;
  });
  await stage.attack('one greedy sender', async () => {
    await wait(1000);
    const sockets = Array.from({ length: 1900 }, () => stranger(port, '127.0.4.1'));
    await eventually(() => sockets.every(({ connecting }) => !connecting), 'connections');
    const other = stranger(port, '127.0.4.2');
    other.end('<13>heard beside the greedy one\n');
    await closed(other);
    for (const socket of sockets) socket.destroy();
    await Promise.all(sockets.map(closed));
    return '1900 connections of one address';
  });
  let tried = 0;
  await stage.attack('churn', async () => {
    while (tried < churned) {
      const sockets = Array.from({ length: 200 }, () => stranger(port, '127.0.5.1'));
      for (const socket of sockets) socket.end(`<13>churn ${(tried += 1)}\n`);
      await Promise.all(sockets.map(closed));
    }
    return `${tried} connections of one address, one line each`;
  });
  await stage.stop();
  const stored = stage.stored().filter(({ listener }) => listener.startsWith('syslog-tcp='));
  const lines = stored.flatMap(linesOf).map(({ raw }) => raw.toString());
  assert.ok(lines.includes('<13>heard beside the greedy one'));
  const heard = new Set(lines.filter((line) => line.startsWith('<13>churn ')));
  assert.equal(heard.size + stage.counted('sender connects'), tried, 'each was heard, or counted as refused');
  assert.ok(stage.counted('connection limit') >= 1);
});
