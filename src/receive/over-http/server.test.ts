import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Flag, Framing } from '#vault/record';

import { post, raw } from '../testing/http-client.ts';
import { bodies, losses } from '../testing/http-stored.ts';
import { dial, start, until } from '../testing/receiver.ts';
import { linesOf } from '../testing/stored.ts';
import { bulkLimits } from './bulk-actions.ts';

describe('bodies over HTTP', () => {
  it('stores each as it came, with what its headers say, and answers as its own server would', async (t) => {
    const receiver = await start(t, ['http']);
    const port = receiver.port('http');
    const zipped = gzipSync('{"streams":[]}');
    const protobuf = { 'content-type': 'application/x-protobuf' };
    const json = { 'content-type': 'application/json' };

    const otlp = await post(port, '/v1/logs', Buffer.from([10, 0, 0xff]), protobuf);
    assert.deepEqual(
      [otlp.status, otlp.headers['content-type'], otlp.body],
      [200, 'application/x-protobuf', ''],
    );
    const otlpJson = await post(port, '/v1/logs', '{"resourceLogs":[]}', json);
    assert.deepEqual(
      [otlpJson.status, otlpJson.headers['content-type'], otlpJson.body],
      [200, 'application/json', '{}'],
    );
    assert.equal(
      (
        await post(port, '/loki/api/v1/push?a=b%20c', zipped, {
          ...json,
          'content-encoding': 'gzip',
          'user-agent': 'x/1',
        })
      ).status,
      204,
    );
    assert.equal((await post(port, '/loki/api/v1/push', 'snappy', protobuf)).status, 204);
    assert.equal((await post(port, '/gelf', '{"version":"1.1"}')).status, 202);
    assert.equal(
      (await post(port, '/', '{\n"pretty": 1}\n', { ...json, 'idempotency-key': 'k1' })).status,
      200,
    );

    // The key is one for the whole body.
    assert.equal(
      (await post(port, '/ingest', '{"a":1}\n{"a":2}\n', { 'idempotency-key': 'k2' })).status,
      200,
    );

    const all = bodies(receiver);
    assert.deepEqual(
      all.map(({ framing }) => framing),
      Array.from({ length: 7 }, () => Framing.body),
    );
    assert.equal(all[6]?.raw.toString(), '{"a":1}\n{"a":2}\n');
    const stored = all.slice(0, 6);
    assert.deepEqual(stored[2]?.raw, zipped);
    assert.deepEqual(
      stored.map(({ meta }) => JSON.parse(meta)),
      [
        {
          via: 'http',
          format: 'otlp',
          path: '/v1/logs',
          type: 'application/x-protobuf',
          encoding: 'identity',
          agent: '',
        },
        {
          via: 'http',
          format: 'otlp',
          path: '/v1/logs',
          type: 'application/json',
          encoding: 'identity',
          agent: '',
        },
        {
          via: 'http',
          format: 'loki',
          path: '/loki/api/v1/push',
          query: 'a=b%20c',
          type: 'application/json',
          encoding: 'gzip',
          agent: 'x/1',
        },
        {
          via: 'http',
          format: 'loki',
          path: '/loki/api/v1/push',
          type: 'application/x-protobuf',
          encoding: 'snappy',
          agent: '',
        },
        { via: 'http', format: 'gelf', path: '/gelf', type: '', encoding: 'identity', agent: '' },
        {
          via: 'http',
          format: 'jsonl',
          path: '/',
          type: 'application/json',
          encoding: 'identity',
          key: 'k1',
          agent: '',
        },
      ],
    );
  });

  it('takes lines one by one, however many there are, and a line longer than a run in parts', async (t) => {
    const receiver = await start(t, ['http'], { http: { lines: 1000 } });
    const port = receiver.port('http');
    const lines = Array.from({ length: 300 }, (_, n) => `{"n":${n}}`);
    const long = 'x'.repeat(2500);
    const body = [...lines, long, 'last'].join('\n');
    assert.equal((await post(port, '/ingest', body, { 'content-type': 'application/x-ndjson' })).status, 200);
    const stored = bodies(receiver).flatMap((delivery) => linesOf(delivery));
    const whole = stored.filter(({ flags }) => flags === 0).map(({ raw: line }) => line.toString());
    assert.deepEqual(whole, [...lines, 'last']);
    const parts = stored.filter(({ flags }) => (flags & Flag.part) !== 0);
    assert.equal(parts.map(({ raw: line }) => line.toString()).join(''), long);
    assert.equal(parts.at(-1)?.flags, Flag.part | Flag.lastPart);
    assert.ok(parts.length > 1);
  });

  it('answers a bulk request with an item for each action, also where the body is compressed', async (t) => {
    const receiver = await start(t, ['http']);
    const port = receiver.port('http');
    const body =
      '{"index":{"_index":"a"}}\n{"m":1}\n{ "create" : {}}\r\n{"index":2}\r\n\n{"delete":{"_id":"1"}}\n{"update":{}}\n{}';
    const expected = ['index', 'create', 'delete', 'update'];
    for (const [sent, headers] of [
      [Buffer.from(body), {}],
      [gzipSync(body), { 'content-encoding': 'gzip' }],
    ] as const) {
      const { status, headers: got, body: text } = await post(port, '/logs/_bulk', sent, headers);
      const answer = JSON.parse(text);
      assert.equal(status, 200);
      assert.equal(got['x-elastic-product'], 'Elasticsearch');
      assert.equal(answer.errors, false);
      assert.deepEqual(
        answer.items.map((item: object) => Object.keys(item)[0]),
        expected,
      );
      assert.equal(answer.items[0].index.status, 201);
    }
    // More than an answer has items for: not stored, and to be sent again in smaller pieces.
    const bomb = gzipSync(`{"index":{}}\n{"m":"${'0'.repeat(bulkLimits.unpacked)}"}\n`);
    const many = '{"delete":{}}\n'.repeat(bulkLimits.actions + 1);
    for (const [sent, headers] of [
      [bomb, { 'content-encoding': 'gzip' }],
      [Buffer.from(many), {}],
    ] as const)
      assert.equal((await post(port, '/_bulk', sent, headers)).status, 413);
    await until(() => losses(receiver).get('body too large') === 2);
    // Damaged, and stored all the same.
    const damaged = await post(port, '/_bulk', 'no gzip', { 'content-encoding': 'gzip' });
    assert.deepEqual(JSON.parse(damaged.body).items, []);
    assert.equal(bodies(receiver).length, 3);
  });

  it('lets Elasticsearch clients and health checks go on, and says what there is', async (t) => {
    const receiver = await start(t, ['http']);
    const port = receiver.port('http');
    const get = (path: string, method = 'GET') => post(port, path, '', {}, method);
    const root = await get('/');
    assert.match(JSON.parse(root.body).version.number, /^8\./);
    assert.equal(root.headers['x-elastic-product'], 'Elasticsearch');
    assert.equal((await get('/', 'HEAD')).status, 200);
    assert.equal(JSON.parse((await get('/_license')).body).license.status, 'active');
    assert.equal(
      JSON.parse((await post(port, '/_index_template/x', '{}', {}, 'PUT')).body).acknowledged,
      true,
    );
    assert.equal((await get('/health')).body, 'ok\n');
    assert.equal((await get('/ready')).body, 'ready\n');
    const unknown = await get('/nothing');
    assert.equal(unknown.status, 404);
    assert.match(unknown.body, /POST \/v1\/logs/);
    assert.equal((await get('/v1/logs')).headers.allow, 'POST');
    await receiver.stop();
    assert.equal(losses(receiver).get('unknown path'), 2);
    assert.equal(bodies(receiver).length, 0);
  });
});

describe('HTTP: hostile senders', () => {
  const start1 = 'POST / HTTP/1.1\r\nHost: a\r\n';
  const chunked = `${start1}Transfer-Encoding: chunked\r\n\r\n`;
  const smuggled: Record<string, string> = {
    'two framings': `${start1}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'two lengths': `${start1}Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd`,
    'a list of lengths': `${start1}Content-Length: 4, 4\r\n\r\nabcd`,
    'a signed length': `${start1}Content-Length: +4\r\n\r\nabcd`,
    'a folded header': `${start1}X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n`,
    'bare LF': 'POST / HTTP/1.1\nHost: a\nContent-Length: 0\n\n',
    'bare LF after a header': `${start1}Content-Length: 4\n\r\nabcd`,
    'bare LF in a chunk extension': `${chunked}3;a\nx\r\nabc\r\n0\r\n\r\n`,
    'an endless chunk extension': `${chunked}3;${'a'.repeat(20_000)}\r\nabc\r\n0\r\n\r\n`,
    'a chunk size that overflows': `${chunked}fffffffffffffffff\r\nabc`,
    'a negative chunk size': `${chunked}-3\r\nabc`,
    'a chunk size in another notation': `${chunked}0x3\r\nabc`,
    'a length in the trailer': `${chunked}3\r\nabc\r\n0\r\nContent-Length: 4\r\n\r\n`,
    'NUL in a header': `${start1}X: a\0b\r\nContent-Length: 0\r\n\r\n`,
    'NUL in the path': 'POST /\0 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
    'another transfer coding': `${start1}Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    'an unknown transfer coding': `${start1}Transfer-Encoding: xchunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    'space before the colon': `${start1}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
    'chunks in HTTP/1.0': 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'no host': 'POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n',
    'two hosts': 'POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 0\r\n\r\n',
    'another expectation': `${start1}Expect: miracles\r\nContent-Length: 0\r\n\r\n`,
    'a tunnel': 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n',
    'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    TLS: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  };

  it('refuses what is no HTTP with 4xx or 501, closes the connection, and counts each', async (t) => {
    const receiver = await start(t, ['http']);
    const port = receiver.port('http');
    for (const [what, bytes] of Object.entries(smuggled)) {
      const answer = await raw(port, bytes);
      // A request that was complete before the bytes that are none has its own answer first.
      const last = answer.split(/(?=HTTP\/1\.1 \d)/).at(-1) ?? '';
      assert.match(last, /^HTTP\/1\.1 (4\d\d|501) /, `${what}: ${JSON.stringify(answer)}`);
    }
    const bomb = await raw(port, `${start1}X: ${'y'.repeat(40_000)}\r\n\r\n`);
    assert.match(bomb, /^HTTP\/1\.1 431 /);
    await receiver.stop();
    assert.equal(losses(receiver).get('malformed request'), Object.keys(smuggled).length);
    assert.equal(losses(receiver).get('request head too large'), 1);
    assert.equal(bodies(receiver).length, 0);
  });

  it('cuts off who is slow, and who asks far ahead of the answers', async (t) => {
    const receiver = await start(t, ['http'], { http: { headMs: 1000, stalledMs: 1000 } });
    const port = receiver.port('http');
    const answers = await Promise.all([
      raw(port, 'POST / HT'),
      raw(port, `${start1}Content-Length: 4\r\n\r\nab`),
    ]);
    for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 408 /);
    // While they are served, one who waits for no answer takes no more than a few requests' worth.
    await raw(port, `${start1}Content-Length: 1\r\n\r\nx`.repeat(2000));
    await receiver.stop();
    assert.equal(losses(receiver).get('slow request'), 2);
    assert.equal(losses(receiver).get('too many requests ahead'), 1);
    assert.ok(bodies(receiver).length < 50);
  });

  it('sends back what is too large, and what there is no memory for', async (t) => {
    const receiver = await start(t, ['http'], { http: { body: 100_000, bodies: 120_000 } });
    const port = receiver.port('http');
    const large = 'x'.repeat(100_001);
    assert.match(
      await raw(port, `POST /gelf HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n${large}`),
      /^HTTP\/1\.1 413 /,
    );
    const inChunks = `POST /gelf HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n186a1\r\n${large}\r\n0\r\n\r\n`;
    // One sender may hold half of the memory.
    assert.match(await raw(port, inChunks), /^HTTP\/1\.1 503 [^]*Retry-After: \d/);
    assert.equal((await post(port, '/gelf', 'x'.repeat(50_000))).status, 202);
    await receiver.stop();
    assert.equal(losses(receiver).get('body too large'), 1);
    assert.equal(losses(receiver).get('sent back'), 1);
    assert.equal(bodies(receiver).length, 1);
  });

  it('holds no body for one who does not read the answer, and cuts it off', async (t) => {
    const receiver = await start(t, ['http'], { http: { answerMs: 3000, bodies: 20_000_000 } });
    const port = receiver.port('http');
    const socket = await dial(port);
    socket.on('error', () => undefined);
    // The answer is larger than what the kernel takes of it.
    const body = '{"delete":{}}\n'.repeat(500_000);
    socket.write(`POST /_bulk HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    await once(socket, 'readable');
    // Half of the memory is for one sender: there is none for this as long as the first body is held.
    assert.equal((await post(port, '/gelf', 'x'.repeat(5_000_000))).status, 202);
    await until(() => losses(receiver).has('unread answer'));
    assert.equal(losses(receiver).get('unread answer'), 1);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += String(chunk);
    });
    await once(socket, 'close');
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.ok(!answer.endsWith(']}\n'), 'the rest of it was never sent');
  });

  it('stores nothing of a body that is cut off, and answers nothing', async (t) => {
    const receiver = await start(t, ['http']);
    const socket = await dial(receiver.port('http'));
    socket.write(`${start1}Content-Type: text/plain\r\nContent-Length: 10\r\n\r\none\ntwo`);
    await wait(100);
    socket.destroy();
    await until(() => losses(receiver).has('torn body'));
    assert.equal(losses(receiver).get('torn body'), 1);
    assert.equal(bodies(receiver).length, 0);
  });

  it('stores what came of a journal, and of a long line, that is cut off', async (t) => {
    const receiver = await start(t, ['http'], { http: { lines: 1000 } });
    const cut = async (head: string, body: string, isStored: () => boolean): Promise<void> => {
      const socket = await dial(receiver.port('http'));
      socket.on('error', () => undefined);
      socket.write(`${head}Host: a\r\nContent-Length: 100000\r\n\r\n${body}`);
      await until(isStored);
      await wait(100);
      socket.resetAndDestroy();
    };
    const entry = '__CURSOR=a\nMESSAGE=one\n\n';
    const rest = '__CURSOR=b\nMESSAGE=tw';
    await cut('POST /upload HTTP/1.1\r\n', entry + rest, () => bodies(receiver).length === 1);
    await until(() => bodies(receiver).length === 2);
    assert.deepEqual(
      bodies(receiver).map(({ flags, raw: bytes }) => [flags, bytes.toString()]),
      [
        [0, entry],
        [Flag.torn, rest],
      ],
    );
    await cut('POST /ingest HTTP/1.1\r\n', 'x'.repeat(2500), () => bodies(receiver).length === 4);
    await until(() => bodies(receiver).length === 5);
    assert.deepEqual(
      bodies(receiver)
        .slice(2)
        .map(({ flags, raw: bytes }) => [flags, bytes.length]),
      [
        [Flag.part, 1000],
        [Flag.part, 1000],
        [Flag.part | Flag.lastPart | Flag.torn, 500],
      ],
    );
    await until(() => losses(receiver).get('torn body') === 2);
    assert.equal(losses(receiver).get('torn body'), 2);
  });
});
