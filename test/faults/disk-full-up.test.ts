import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { verifyVault } from '#vault/verify';
import { numberedSender } from '../harness/numbered-sender.ts';
import { noSmallDisk, smallDisk, type SmallDisk } from '../harness/small-disk.ts';
import { removeState, search, startUp, temporaryState, until, type RunningUp } from '../harness/up.ts';
import { vaultLines } from '../harness/vault-lines.ts';

const skip = noSmallDisk() ?? false;

type Line = Record<string, unknown> & { kind: string };

/** Lines of Holdfast's own of one kind, as search finds them. */
const own = (up: RunningUp, kind: string): Line[] =>
  search(up.state, `app:holdfast kind=${kind}`).hits.map(({ raw }) =>
    parse(Buffer.from(raw, 'base64').toString()),
  );

const parse = (text: string): Line => JSON.parse(text);

const countOf = (up: RunningUp, token: string): number => search(up.state, token, 0).answer.count;

const numbersOf = (up: RunningUp, token: string): number[] =>
  search(up.state, token, 100_000)
    .hits.map(({ message }) => Number(/#(\d+)/.exec(message)?.[1]))
    .sort((a, b) => a - b);

const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);

const timesIn = (text: string, what: RegExp): number => [...text.matchAll(what)].length;

/** All of it at once, as fast as it is taken; resolves when the receiver has closed the connection. */
const stream = async (port: number, token: string, lines: number): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => undefined).resume();
  socket.end(
    upTo(lines)
      .map((n) => `<13>1 - h a - - - ${token} #${n} ${'.'.repeat(1000)}\n`)
      .join(''),
  );
  return socket;
};

/** Datagrams as large as they can be. @returns when all were given to the kernel */
const datagrams = async (port: number, token: string, count: number): Promise<void> => {
  const socket = createSocket('udp4');
  const text = Buffer.from(`<13>1 - h a - - - ${token} ${'.'.repeat(60_000)}`);
  for (let sent = 0; sent < count; sent += 8) {
    await Promise.all(
      Array.from(
        { length: Math.min(8, count - sent) },
        () => new Promise<void>((resolve) => socket.send(text, port, '127.0.0.1', () => resolve())),
      ),
    );
    // Loss is for the full disk to cause, not for a burst.
    await sleep(1);
  }
  socket.close();
};

/** Bytes that the kernel holds for whoever is bound to a UDP port of loopback. @throws Error if nobody is */
const unread = (port: number): number => {
  const address = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const row = readFileSync('/proc/net/udp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find((fields) => fields[1] === address);
  if (row === undefined) throw new Error(`nobody is bound to UDP port ${port}`);
  return Number.parseInt(row[4]?.split(':')[1] ?? '', 16);
};

const lost = (up: RunningUp): number =>
  own(up, 'loss').reduce(
    (sum, { listener, count }) => sum + (String(listener).startsWith('syslog-udp') ? Number(count) : 0),
    0,
  );

const assertVerified = async (up: RunningUp, disk: SmallDisk): Promise<void> => {
  const { state } = up;
  const [vault, keys] = [disk.inside(state.vault), disk.inside(state.keys)];
  const report = await verifyVault({ vault, vkey: up.ready().vkey, lock: join(keys, 'lock') });
  assert.deepEqual(report.problems, []);
};

/** @param act is given a Holdfast whose `parts` lie on a small file system of their own */
const onSmallDisk = async (
  parts: readonly ('intake' | 'vault')[],
  mebibytes: number,
  act: (disk: SmallDisk, start: () => Promise<RunningUp>) => Promise<void>,
): Promise<void> => {
  const state = temporaryState();
  const disk = await smallDisk(state, parts, mebibytes);
  const started: RunningUp[] = [];
  try {
    await act(disk, async () => {
      const up = await startUp(state, ['--no-agent'], disk.program);
      started.push(up);
      return up;
    });
  } catch (error) {
    throw new Error(`${String(error)}\n${started.map((up) => up.output()).join('\n--\n')}`, { cause: error });
  } finally {
    for (const up of started) if (up.process.exitCode === null) await up.interrupt();
    await disk.remove();
    removeState(state);
  }
};

describe('a disk that is really full', { skip }, () => {
  it('intake/: who can wait waits, datagrams are counted, the log says so at once, and it goes on by itself', (t) =>
    onSmallDisk(['intake'], 8, async (disk, start) => {
      const up = await start();
      const numbered = numberedSender(up.state.ownSocket, 'fullown');
      await until('lines flow', () => countOf(up, 'fullown') > 50);
      disk.fill();
      const began = performance.now();
      await until('the alarm is found while the disk is full', () => own(up, 'disk-full').length > 0);
      t.diagnostic(`the alarm was found ${Math.round(performance.now() - began)} ms after the disk was full`);
      const [alarm] = own(up, 'disk-full');
      assert.equal(alarm?.['path'], up.state.intake);

      const socket = await stream(up.syslogTcp(), 'fulltcp', 30_000);
      const sent = 1600;
      await datagrams(up.syslogUdp(), 'fulludp', sent);
      await sleep(2500);
      assert.equal(socket.writableFinished, false, 'the sender over TCP waits');
      assert.equal(countOf(up, 'fulltcp'), 0);
      assert.equal(timesIn(up.output(), /receiver error: .*no space left/g), 1, 'it says so once');

      disk.free(400);
      await until('everything is there', () => countOf(up, 'fulltcp') === 30_000);
      const acknowledged = await numbered.finish();
      await until('what was acknowledged is there', () => countOf(up, 'fullown') >= acknowledged);
      assert.deepEqual(numbersOf(up, 'fullown'), upTo(acknowledged), 'each once');
      await until('every datagram is there or counted', () => countOf(up, 'fulludp') + lost(up) === sent);
      assert.ok(lost(up) > 0, 'more came than may wait');
      t.diagnostic(`${countOf(up, 'fulludp')} datagrams stored, ${lost(up)} counted as lost, of ${sent}`);
      await until('the end is told of', () => own(up, 'disk-space').length > 0);
      const [over] = own(up, 'disk-space');
      assert.ok(Number(over?.['seconds']) >= 2, JSON.stringify(over));
      // Whether the receiver's own bound is reached first or the kernel's depends on who gets to run.
      assert.match(JSON.stringify(over), /"(?:receiver congested|kernel udp drop)":[1-9]/);
      assert.match(up.output(), /receiver warning: .*space again after \d+ s/);
      await assertVerified(up, disk);
    }));

  it('intake/, and a restart meanwhile: it starts, takes nothing, says why, and counts what the stop left behind', () =>
    onSmallDisk(['intake'], 4, async (disk, start) => {
      const first = await start();
      const numbered = numberedSender(first.state.ownSocket, 'restartown');
      await until('lines flow', () => countOf(first, 'restartown') > 50);
      disk.fill();
      await until('the alarm is found', () => own(first, 'disk-full').length > 0);
      await datagrams(first.syslogUdp(), 'restartudp', 20);
      await until('the receiver has read them', () => unread(first.syslogUdp()) === 0);
      await first.interrupt();
      disk.fill();

      const second = await start();
      assert.match(second.output(), /receiver error: .*no space left/);
      const socket = await stream(second.syslogTcp(), 'restarttcp', 5000);
      await until('the first stop is told of', () => lost(second) === 20);
      await sleep(1000);
      assert.equal(countOf(second, 'restarttcp'), 0);
      assert.equal(countOf(second, 'restartudp'), 0);

      disk.free(64);
      await until('everything is there', () => countOf(second, 'restarttcp') === 5000);
      socket.destroy();
      const acknowledged = await numbered.finish();
      await until('what was acknowledged is there', () => countOf(second, 'restartown') >= acknowledged);
      assert.deepEqual(numbersOf(second, 'restartown'), upTo(acknowledged), 'each once');
      await assertVerified(second, disk);
    }));

  it('vault/, while intake/ has room: nothing waits, the keeper says so once and goes on by itself', () =>
    onSmallDisk(['vault'], 4, async (disk, start) => {
      const up = await start();
      const numbered = numberedSender(up.state.ownSocket, 'vaultown');
      await until('lines flow', () => countOf(up, 'vaultown') > 50);
      let before = 0;
      const errors = (): number => timesIn(up.output(), /keeper error: /g) - before;
      const restarts = (): number => timesIn(up.output(), /started again/g);
      for (let ended = 0; ;) {
        disk.fill();
        await until('the keeper says so', () => errors() > 0);
        await sleep(500);
        if (restarts() === ended) break;
        // It was past the commit point of a commit, of which a keeper ends; the next completes it when there is space.
        ended = restarts();
        assert.ok(ended < 10, up.output());
        disk.free(4);
        const had = countOf(up, 'vaultown');
        await until('lines flow', () => countOf(up, 'vaultown') > had);
        before += errors();
      }
      const ended = restarts();
      await (await stream(up.syslogTcp(), 'vaulttcp', 20_000)).destroySoon();
      await sleep(3000);
      assert.equal(errors(), 1, 'it says so once');
      assert.equal(restarts(), ended, 'nobody dies of it');
      const { vkey } = up.ready();
      const committed = (): number =>
        vaultLines(disk.inside(up.state.vault), vkey).filter(({ raw }) => raw.includes('vaultown')).length;
      const kept = committed();

      // A restart meanwhile: the keeper begins, and waits too.
      await up.interrupt();
      const again = await start();
      await sleep(1500);
      assert.equal(committed(), kept, 'nothing is committed');
      disk.free(64);
      await until('everything is there', () => countOf(again, 'vaulttcp') === 20_000);
      const acknowledged = await numbered.finish();
      await until('what was acknowledged is there', () => countOf(again, 'vaultown') >= acknowledged);
      assert.deepEqual(numbersOf(again, 'vaultown'), upTo(acknowledged), 'each once');
      await until('the end is told of', () => own(again, 'disk-space').some(({ path }) => path === 'vault'));
      await assertVerified(again, disk);
    }));

  it('both on one file system: the alarm is committed into the room that is given up for it', () =>
    onSmallDisk(['intake', 'vault'], 8, async (disk, start) => {
      const up = await start();
      const numbered = numberedSender(up.state.ownSocket, 'bothown');
      await until('lines flow', () => countOf(up, 'bothown') > 50);
      disk.fill();
      await until('the alarm is found while the disk is full', () => own(up, 'disk-full').length > 0);
      disk.fill();
      await sleep(2500);
      // A keeper that was past the commit point of a commit ends of it, and the next completes that.
      assert.ok(timesIn(up.output(), /started again/g) <= 1, 'nobody dies of it');
      disk.free(64);
      const acknowledged = await numbered.finish();
      await until('what was acknowledged is there', () => countOf(up, 'bothown') >= acknowledged);
      assert.deepEqual(numbersOf(up, 'bothown'), upTo(acknowledged), 'each once');
      await until('the end is told of', () =>
        own(up, 'disk-space').some(({ path }) => path === up.state.intake),
      );
      await assertVerified(up, disk);
    }));
});
