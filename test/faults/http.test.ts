import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { post, raw } from '../../src/receive/testing/http-client.ts';
import {
  dial,
  prepareState,
  spawnReceiver,
  until,
  type ChildReceiver,
} from '../../src/receive/testing/receiver.ts';
import { readStored } from '../../src/receive/testing/stored.ts';
import { noSmallDisk, smallDisk } from '../harness/small-disk.ts';
import { noStrace, startProcess } from '../harness/traced.ts';
import { full } from '../harness/up.ts';

const portOf = (addresses: Record<string, string>): number =>
  Number(/:(\d+)$/.exec(addresses['http'] ?? '')?.[1]);

const losses = (intake: string): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const { listener, raw: body } of readStored(intake).deliveries) {
    if (listener !== 'receiver') continue;
    for (const [, cause = '', count] of body
      .toString('latin1')
      .matchAll(/"kind":"(?:loss|torn|refusal)","cause":"([^"]+)".*?"count":(\d+)/g))
      counts.set(cause, (counts.get(cause) ?? 0) + Number(count));
  }
  return counts;
};

it(
  'HTTP is answered after fdatasync: where that fails, nobody is told that a body is safe',
  { skip: noStrace() ?? false },
  async (t) => {
    const state = prepareState(t);
    const receiver = await startProcess(
      state,
      'receiver',
      { listen: [{ kind: 'http', host: '127.0.0.1', port: 0 }] },
      { calls: ['fdatasync'], from: 'serving', fail: { call: 'fdatasync', error: 'EIO', nth: 2 } },
    );
    t.after(() => receiver.stop());
    const port = portOf(receiver.addresses);
    assert.equal((await post(port, '/ingest', 'durable')).status, 200);
    const answer = await raw(port, 'POST /ingest HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nnot');
    assert.equal(answer, '');
    assert.notEqual(await receiver.exited, 0);
    assert.match(receiver.trace().join('\n'), /fdatasync.* = 0[^]*fdatasync.*EIO/);
  },
);

it(
  'HTTP senders are sent back with 503 while the disk is full, and may come again',
  { skip: noSmallDisk() ?? false },
  async (t) => {
    const state = prepareState(t);
    const disk = await smallDisk(state, ['intake'], 24);
    t.after(() => disk.remove());
    const { child, addresses } = await spawnReceiver(t, state, {
      prefix: disk.program.slice(0, -1),
      kinds: ['http'],
    });
    const port = portOf(addresses);
    const bodies = () =>
      readStored(disk.inside(state.intake))
        .deliveries.filter(({ listener }) => listener.startsWith('http='))
        .map(({ raw: body }) => body.toString());
    assert.equal((await post(port, '/ingest', 'before')).status, 200);
    disk.fill();
    const asked = async (): Promise<number> => {
      const answer = await Promise.race([
        post(port, '/ingest', 'while it is full'),
        sleep(2000).then(() => null),
      ]);
      if (answer?.status === 503) assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
      return answer?.status ?? 0;
    };
    let status = 0;
    for (let n = 0; n < 30 && status !== 503; n += 1) status = await asked();
    assert.equal(status, 503);
    disk.free(64);
    for (let n = 0; n < 60 && status !== 200; n += 1) {
      await sleep(500);
      ({ status } = await post(port, '/ingest', 'after'));
    }
    assert.equal(status, 200);
    assert.ok(bodies().includes('before') && bodies().includes('after'));
    child.stdin?.end();
    await once(child, 'exit');
    assert.ok((losses(disk.inside(state.intake)).get('disk full') ?? 0) >= 1);
  },
);

const highWater = ({ child }: ChildReceiver): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;

/** Posts small bodies one after another, and says how long the answers took (ms). */
const goodSender = async (port: number, isOver: () => boolean): Promise<number[]> => {
  const took: number[] = [];
  while (!isOver()) {
    const began = performance.now();
    const { status } = await post(port, '/ingest', `good ${took.length}`);
    assert.equal(status, 200);
    took.push(performance.now() - began);
    await sleep(20);
  }
  return took;
};

const hostile = async (
  t: TestContext,
  port: number,
  count: number,
  head: string,
  body: (n: number) => Buffer,
) => {
  const sockets: Socket[] = [];
  for (let n = 0; n < count; n += 1) {
    const socket = await dial(port);
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(head);
    // No faster than this, or it fills the disk: what is sent without an end is stored without one.
    const timer = setInterval(() => {
      if (socket.writableLength === 0) socket.write(body(n));
    }, 20);
    socket.on('close', () => clearInterval(timer));
    sockets.push(socket);
  }
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  return sockets;
};

describe('HTTP: senders that mean harm', () => {
  it('take no more memory than there is for them, and leave others their turn', async (t) => {
    const state = prepareState(t);
    const receiver = await spawnReceiver(t, state, { kinds: ['http'] });
    const port = portOf(receiver.addresses);
    let isOver = false;
    const good = goodSender(port, () => isOver);
    const filler = Buffer.alloc(65_536, 0x61);
    const start = (path: string, type = 'text/plain'): string =>
      `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\n`;
    // A body that is read to its limit, an entry without an end, a line without an end, pieces of one byte each.
    await hostile(t, port, 30, `${start('/gelf')}Content-Length: 33000000\r\n\r\n`, () => filler);
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), filler, Buffer.from('\r\n')]);
    const chunked = 'Transfer-Encoding: chunked\r\n\r\n';
    await hostile(
      t,
      port,
      5,
      `${start('/upload', 'application/vnd.fdo.journal')}${chunked}3\r\nA=b\r\n`,
      () => chunk,
    );
    await hostile(t, port, 5, `${start('/ingest')}${chunked}`, () => chunk);
    const crumbs = Buffer.from('1\r\nx\r\n'.repeat(5000));
    await hostile(t, port, 5, `${start('/ingest')}${chunked}`, () => crumbs);
    // Requests without number, whose answers nobody takes.
    const many = Buffer.from('GET /health HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(1000));
    await hostile(t, port, 5, '', () => many);
    const idle = full ? 5000 : 500;
    const waiting: Socket[] = [];
    for (let n = 0; n < idle; n += 1) waiting.push(await dial(port));
    t.after(() => waiting.forEach((socket) => socket.destroy()));
    await sleep(full ? 20_000 : 4000);
    isOver = true;
    const took = (await good).sort((a, b) => a - b);
    const memory = highWater(receiver);
    t.diagnostic(
      `${took.length} good requests: median ${Math.round(took[took.length >> 1] ?? 0)} ms, ` +
        `longest ${Math.round(took.at(-1) ?? 0)} ms; peak memory ${Math.round(memory)} MB`,
    );
    assert.ok(took.length > 1);
    assert.ok(memory < 400, `${memory} MB`);
    assert.equal(receiver.child.exitCode, null);
  });

  it('send what they like, mutated at random, and it still serves', async (t) => {
    const state = prepareState(t);
    const receiver = await spawnReceiver(t, state, { kinds: ['http'] });
    const port = portOf(receiver.addresses);
    const seed = Number(process.env['HOLDFAST_TEST_SEED'] ?? 1);
    let random = seed;
    const below = (most: number): number => {
      random = (Math.imul(random, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return Math.floor((random / 0x8000_0000) * most);
    };
    const pick = (from: readonly string[]): string => from[below(from.length)] ?? '';
    const rounds = full ? 20_000 : 1500;
    for (let n = 0; n < rounds; n += 50)
      await Promise.all(Array.from({ length: 50 }, () => raw(port, mutated(below, pick), 300)));
    assert.equal(receiver.child.exitCode, null, `seed ${seed}: ${receiver.stderr()}`);
    assert.equal((await post(port, '/ingest', 'still here')).status, 200);
    await until(() => losses(state.intake).has('malformed request'));
    t.diagnostic(`${JSON.stringify([...losses(state.intake)])}`);
  });
});

/** A request by the grammar of RFC 9112, of which some parts are others' and some bytes any. */
const mutated = (below: (most: number) => number, pick: (from: readonly string[]) => string): Buffer => {
  const end = pick(['\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\0']);
  const lines = [
    `${pick(['POST', 'GET', 'PUT', 'HEAD', 'PRI', 'CONNECT', 'post', ''])} ${pick(['/', '/upload', '/v1/logs', '/_bulk', '/a/_bulk', '/gelf', '/ingest?a=b', '*', 'http://x/ingest', '/%00', '//'])} ${pick(['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/9.9', ''])}`,
    pick(['Host: a', 'Host: a', 'Host:', 'Host: a\r\nHost: b', 'X: y']),
    ...Array.from({ length: below(4) }, () =>
      pick([
        'Content-Length: 5',
        'Content-Length: 5',
        'Content-Length: 99999999999',
        'Content-Length: -1',
        'Transfer-Encoding: chunked',
        'Transfer-Encoding: chunked, chunked',
        'Transfer-Encoding: gzip',
        'Content-Encoding: gzip',
        'Content-Type: application/vnd.fdo.journal',
        'Expect: 100-continue',
        'Expect: x',
        'Connection: upgrade\r\nUpgrade: h2c',
        'Connection: close',
        ' folded',
        'Idempotency-Key: k',
      ]),
    ),
  ];
  const body = pick([
    'hello',
    '5\r\nhello\r\n0\r\n\r\n',
    '5;ext=1\r\nhello\r\n0\r\nTrailer: x\r\n\r\n',
    'ffffffff\r\nhello',
    'zz\r\nhello\r\n',
    'A=1\nB\n\x05\0\0\0\0\0\0\0hello\n\n',
    '{"index":{}}\n{}\n',
    '',
  ]);
  const bytes = Buffer.from(lines.join(end) + end + end + body, 'latin1');
  for (let n = below(3); n > 0 && bytes.length > 0; n -= 1) bytes[below(bytes.length)] = below(256);
  return Buffer.concat(Array.from({ length: 1 + below(3) }, () => bytes));
};
