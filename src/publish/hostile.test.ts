import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stateDirectory } from '#base/state';
import { childReady } from '#wire/ready';
import { vaultFor } from '../vault/testing/test-vault.ts';
import { ask, grow, hostPort } from './testing/served.ts';

/** The publisher's own process, as it is started by `up`, over a log of some thousand entries. */
const startProcess = async (
  t: TestContext,
): Promise<{ child: ChildProcess; at: { host: string; port: number }; rss(): number }> => {
  const made = vaultFor(t);
  await grow(made, ...Array.from({ length: 40 }, () => 100));
  const state = stateDirectory(made.root);
  mkdirSync(dirname(state.publishSocket), { recursive: true });
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, '..', 'processes', 'publisher.ts'),
      JSON.stringify({ state: state.root, publish: { host: '127.0.0.1', port: 0 } }),
    ],
    { stdio: ['pipe', 'ignore', 'inherit', 'pipe'], env: { HOLDFAST_READY_FD: '3' } },
  );
  t.after(async () => {
    child.stdin?.end();
    if (child.exitCode === null) await once(child, 'exit');
  });
  const [word] = await once(createInterface({ input: child.stdio[3] as Readable }), 'line');
  const { addresses } = childReady.parse(JSON.parse(String(word)));
  return {
    child,
    at: hostPort(addresses['publish']),
    rss: () =>
      Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024,
  };
};

const dial = async (at: { host: string; port: number }): Promise<Socket> => {
  const socket = connect(at);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
};

const isGone = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    socket.on('close', () => resolve());
    socket.resume();
  });

test('10,000 requests, and clients that mean no good, leave it serving and small', async (t) => {
  const { at, rss, child } = await startProcess(t);
  const targets = [
    '/checkpoint',
    '/tile/0/000',
    '/tile/entries/003',
    '/history/000',
    '/proof/consistency?from=100&to=4000',
    '/proof/inclusion?entry=77&size=3900',
    '/segment/000.zst',
    '/tile/0/999',
  ];
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  t.after(() => agent.destroy());
  const statuses = new Map<number, number>();
  const one = (target: string): Promise<void> =>
    new Promise((resolve, reject) => {
      get({ ...at, path: target, agent }, (response) => {
        const status = response.statusCode ?? 0;
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        response.resume().on('end', resolve);
      }).on('error', reject);
    });
  const many = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done += 50)
      await Promise.all(
        Array.from({ length: 50 }, (_, i) => one(targets[(done + i) % targets.length] ?? '/')),
      );
  };
  await many(2000);
  const warm = rss();
  await many(8000);
  assert.equal(
    [...statuses.values()].reduce((sum, count) => sum + count, 0),
    10_000,
  );
  assert.deepEqual([...statuses.keys()].sort(), [200, 404]);

  // Slow readers: each asks for more than it will ever take, some for far more.
  const asked =
    'GET /history/000 HTTP/1.1\r\nHost: x\r\n\r\nGET /tile/entries/001 HTTP/1.1\r\nHost: x\r\n\r\n';
  const slow = await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const socket = await dial(at);
      socket.pause();
      socket.write(asked.repeat(i % 2 === 0 ? 500 : 8));
      return socket;
    }),
  );
  // Headers and bodies that never end.
  const unfinished = await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const socket = await dial(at);
      socket.write(
        i % 2 === 0
          ? 'GET /checkpoint HTTP/1.1\r\nHost: x\r\nX-Slow: '
          : 'POST /cosignature HTTP/1.1\r\nHost: x\r\nContent-Length: 8000\r\n\r\n…',
      );
      return socket;
    }),
  );
  await sleep(1500);
  assert.ok(rss() < warm + 150, `${rss()} MB, ${warm} MB before`);
  assert.equal((await ask(at, '/checkpoint')).status, 200, 'it serves others meanwhile');

  // More connections than it takes at all: those it has are not disturbed, and the rest are turned away.
  const crowd = await Promise.all(
    Array.from({ length: 400 }, async () => {
      const socket = connect(at);
      socket.on('error', () => undefined);
      return socket;
    }),
  );
  await sleep(300);
  assert.ok(rss() < warm + 150, `${rss()} MB, ${warm} MB before`);
  for (const socket of [...crowd, ...slow]) socket.destroy();

  const started = performance.now();
  await Promise.all(unfinished.map(isGone));
  assert.ok(performance.now() - started < 60_000, 'what is never finished is cut off');
  assert.equal((await ask(at, '/checkpoint')).status, 200);
  assert.equal(child.exitCode, null);
});

test('what is no HTTP, or too much of it, is refused', async (t) => {
  const { at } = await startProcess(t);
  const sent = async (bytes: string): Promise<string> => {
    const socket = await dial(at);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.write(bytes);
    await Promise.race([isGone(socket), sleep(60_000, undefined, { ref: false })]);
    assert.ok(socket.destroyed, bytes.slice(0, 40));
    return text.split('\r\n')[0] ?? '';
  };
  assert.match(await sent(`GET /checkpoint HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`), /431/);
  assert.match(await sent('hello\r\n\r\n'), /400/);
  assert.match(await sent('GET /checkpoint HTTP/1.1\r\n\r\n'), /400/);
  assert.match(
    await sent(
      'POST /cosignature HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ),
    /400/,
  );
  assert.match(
    await sent(
      `POST /cosignature HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${`1000\r\n${'z'.repeat(4096)}\r\n`.repeat(8)}`,
    ),
    /413/,
  );
  assert.match(
    await sent(`GET /checkpoint HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUpgrade: websocket\r\n\r\n`),
    /200/,
  );
  assert.equal(await sent('CONNECT other:443 HTTP/1.1\r\nHost: x\r\n\r\n'), '');
});
