import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { Flag, Framing } from '#vault/record';
import { openIndex, type Index } from './indexer.ts';
import { utc } from './parse/timestamp.ts';
import { attribute, bytes, fixed64, integer, snappyLiteral } from './testing/encoded.ts';
import { growVault, type GrownVault, type TestLine } from './testing/grown-vault.ts';
import { vaultSource } from './vault-source.ts';

const at = 1_778_554_799_250_000_000n;

/** A record as the receiver makes one of a body. */
const body = (
  format: string,
  raw: Buffer | string,
  meta: Record<string, string> = {},
  more: Partial<TestLine> = {},
): TestLine => ({
  raw,
  framing: Framing.body,
  listener: 'http=127.0.0.1:8080',
  peer: '192.0.2.7:41000',
  meta: JSON.stringify({
    via: 'http',
    format,
    path: '/x',
    type: 'application/json',
    encoding: 'identity',
    agent: 't',
    ...meta,
  }),
  ...more,
});

const otlpJson = JSON.stringify({
  resourceLogs: [
    {
      resource: {
        attributes: [
          { key: 'service.name', value: { stringValue: 'shop' } },
          { key: 'host.name', value: { stringValue: 'web1' } },
        ],
      },
      scopeLogs: [
        {
          scope: { name: 'cart' },
          logRecords: [
            {
              timeUnixNano: String(at),
              severityNumber: 17,
              body: { stringValue: 'payment failed order=17' },
            },
            {
              observedTimeUnixNano: String(at),
              severityText: 'WARN',
              body: { kvlistValue: { values: [{ key: 'retries', value: { intValue: '3' } }] } },
            },
          ],
        },
      ],
    },
  ],
});

const protobuf = (...messages: string[]): Buffer =>
  bytes(
    1,
    bytes(1, attribute(1, 'service.name', 'shop'), attribute(1, 'host.name', 'web2')),
    bytes(
      2,
      bytes(1, bytes(1, 'cart')),
      ...messages.map((text) =>
        bytes(
          2,
          fixed64(1, at),
          integer(2, 9),
          bytes(5, bytes(1, text)),
          attribute(6, 'user', 'alice'),
          bytes(9, Buffer.from('0102030405060708090a0b0c0d0e0f10', 'hex')),
        ),
      ),
    ),
  );

const loki = bytes(
  1,
  bytes(1, '{app="nginx", host="web3", level="warn"}'),
  bytes(2, bytes(1, integer(1, 1_778_554_799), integer(2, 250_000_000)), bytes(2, 'GET / status=500')),
  bytes(2, bytes(1, integer(1, 1_778_554_800)), bytes(2, 'GET /x status=200')),
);

const entry = (cursor: string, message: string): string =>
  `__CURSOR=${cursor}\n__REALTIME_TIMESTAMP=1778554799250000\nMESSAGE=${message}\n_HOSTNAME=web5\nSYSLOG_IDENTIFIER=su\n\n`;

const journalLine = (cursor: string, message: string, more: Partial<TestLine> = {}): TestLine =>
  body('journal', entry(cursor, message), {}, { framing: Framing.journal, ...more });

describe('bodies that carry many lines', () => {
  let grown: GrownVault;
  let index: Index;

  const follow = (): Promise<Index> =>
    openIndex({
      path: join(grown.root, 'index'),
      vault: vaultSource(grown.vault, grown.readKey),
      log: () => undefined,
      local: utc,
      pollMs: 20,
    });

  const whole = async (): Promise<void> => {
    for (
      const limit = performance.now() + 60_000;
      index.state().indexed < grown.appender.size();
      await sleep(5)
    )
      assert.ok(performance.now() < limit, `stuck: ${JSON.stringify(index.state().trouble)}`);
  };

  const take = async (...batches: TestLine[][]): Promise<number> => {
    const first = await grown.grow(...batches);
    await whole();
    return first;
  };

  /** `part host app severity via message`, in order. */
  const rows = async (where: string): Promise<string[]> =>
    (
      await index.engine.rows(
        'background',
        `SELECT part, host, app, severity, via, message FROM lines WHERE ${where} ORDER BY entry, line, part`,
      )
    ).map((row) => ['part', 'host', 'app', 'severity', 'via', 'message'].map((name) => row[name]).join(' '));

  const everything = (): Promise<unknown> =>
    index.engine.rows(
      'background',
      `SELECT entry, line, part, toString(time) AS t, host, app, severity, message, fields, hex(raw) AS r, hex(content) AS c, hex(dedup) AS d, flags
      FROM lines ORDER BY entry, line, part`,
    );

  before(async () => {
    grown = await growVault();
    index = await follow();
  });
  after(async () => {
    await index.stop();
    grown.remove();
  });

  it('become a row for each line, whichever format they are in', async () => {
    const first = await take([
      body('otlp', otlpJson),
      body('otlp', gzipSync(protobuf('one', 'two')), { type: 'application/x-protobuf', encoding: 'gzip' }),
      body('loki', snappyLiteral(loki), { type: 'application/x-protobuf', encoding: 'snappy' }),
      body(
        'loki',
        JSON.stringify({
          streams: [
            {
              stream: { app: 'a' },
              values: [
                [String(at), 'x'],
                [String(at), 'y'],
              ],
            },
          ],
        }),
      ),
      body(
        'bulk',
        '{"index":{"_index":"i"}}\n{"@timestamp":"2026-05-12T02:59:59Z","message":"m1","host":{"name":"web4"},"log.level":"error","service":{"name":"es"}}\n{"create":{}}\n{"message":"a \\"b\\""}\n',
      ),
      body(
        'jsonl',
        zstdCompressSync('{"msg":"j1","level":30,"hostname":"web5","time":1778554799250}\n{"msg":"j2"}\n'),
        { encoding: 'zstd' },
      ),
      {
        ...body('gelf', gzipSync('{"version":"1.1","host":"web6","short_message":"g","level":3,"_app":"x"}')),
        framing: Framing.datagram,
        meta: '{"via":"gelf","format":"gelf"}',
      },
      { ...body('jsonl', '{"msg":"plain","app":"p"}'), framing: Framing.newline },
      { raw: '<13>May 12 03:00:00 h a: syslog' },
    ]);
    assert.deepEqual(await rows(`entry = ${first}`), [
      '1 web1 shop 3 otlp payment failed order=17',
      '2 web1 shop 4 otlp {"retries":3}',
      '1 web2 shop 6 otlp one',
      '2 web2 shop 6 otlp two',
      '1 web3 nginx 4 loki GET / status=500',
      '2 web3 nginx 4 loki GET /x status=200',
      '1 192.0.2.7 a 255 loki x',
      '2 192.0.2.7 a 255 loki y',
      '1 web4 es 3 bulk m1',
      '2 192.0.2.7  255 bulk a "b"',
      '1 web5  6 jsonl j1',
      '2 192.0.2.7  255 jsonl j2',
      '1 web6 x 3 gelf g',
      '0 192.0.2.7 p 255 jsonl plain',
      '0 h a 5 syslog-tcp syslog',
    ]);
    assert.deepEqual(
      await rows(`entry = ${first} AND claimed = fromUnixTimestamp64Micro(${at / 1000n}) AND line < 4`),
      (await rows(`entry = ${first} AND line < 4`)).filter((row) => !row.includes('/x')),
    );
    assert.equal((await rows(`entry = ${first} AND fields['order'] = '17'`)).length, 1);
    assert.equal((await rows(`entry = ${first} AND fields['retries'] = '3'`)).length, 1);
    assert.equal(
      (
        await rows(
          `entry = ${first} AND fields['user'] = 'alice' AND fields['trace_id'] = '0102030405060708090a0b0c0d0e0f10'`,
        )
      ).length,
      2,
    );
    assert.equal((await rows(`entry = ${first} AND fields['status'] = '500'`)).length, 1);
  });

  it('are one row with the reason where they cannot be read, and rows up to where they cannot', async () => {
    const cut = protobuf('kept', 'lost').subarray(0, -4);
    const bomb = zstdCompressSync(Buffer.alloc(65 * 1024 * 1024));
    const most = Math.max(1024 * 1024, 250 * bomb.length);
    const first = await take([
      body('otlp', 'no JSON'),
      body('otlp', cut, { type: 'application/x-protobuf' }),
      body('jsonl', 'not gzip', { encoding: 'gzip' }),
      body('jsonl', bomb, { encoding: 'zstd' }),
      body('jsonl', 'x', { encoding: 'lz5' }),
      body('otlp', '{}'),
    ]);
    const reasons = await index.engine.rows(
      'background',
      `SELECT line, part, confidence, fields['undecoded'] AS reason, length(raw) > 0 AS whole FROM lines WHERE entry = ${first} ORDER BY line, part`,
    );
    assert.deepEqual(
      reasons.map((row) =>
        [row['line'], row['part'], row['confidence'], row['reason'], row['whole']].join(' '),
      ),
      [
        '1 0 0 it is no JSON object 1',
        '2 0 0 it is no such protobuf message, or one that was cut short 1',
        '3 0 0 what was sent does not unpack as gzip 1',
        `4 0 0 unpacks to more than ${most} bytes 1`,
        '5 0 0 unknown encoding lz5 1',
        '6 0 0 it has no lines 1',
      ],
    );
  });

  it('with a key are shown once, and flagged where the bytes are others', async () => {
    const keyed = (text: string, key: string, more: Partial<TestLine> = {}): TestLine =>
      body('jsonl', `{"msg":"${text} 1"}\n{"msg":"${text} 2"}\n`, { key }, more);
    const earlier = index.state();
    await take(
      [keyed('a', 'k1'), keyed('a', 'k1', { peer: '192.0.2.7:5' })],
      [keyed('a', 'k1'), keyed('b', 'k1'), keyed('a', 'k1', { peer: '192.0.2.8:5' })],
    );
    const messages = (): Promise<string[]> => rows("message LIKE 'a _' OR message LIKE 'b _'");
    const wanted = [
      '1 192.0.2.7  255 jsonl a 1',
      '2 192.0.2.7  255 jsonl a 2',
      '1 192.0.2.7  255 jsonl b 1',
      '2 192.0.2.7  255 jsonl b 2',
      '1 192.0.2.8  255 jsonl a 1',
      '2 192.0.2.8  255 jsonl a 2',
    ];
    assert.deepEqual(await messages(), wanted);
    assert.deepEqual(await rows("mapContains(fields, 'conflicting_key')"), wanted.slice(2, 4));
    assert.equal(index.state().redelivered - earlier.redelivered, 2);
    assert.equal(index.state().conflicts - earlier.conflicts, 1);
    await index.stop();
    index = await follow();
    await take([keyed('a', 'k1', { peer: '192.0.2.8:6' }), keyed('b', 'k1'), keyed('a', 'k1')]);
    assert.deepEqual(await messages(), wanted);
    // A name stands above the address; a piece of a body is not the body.
    await take([
      keyed('a', 'k1', { tlsName: 'web9' }),
      keyed('a', 'k1', { tlsName: 'web9', peer: '192.0.2.9:1' }),
      keyed('a', 'k1', { tlsName: 'web9', flags: Flag.torn }),
    ]);
    assert.equal((await messages()).filter((row) => row.includes('web9')).length, 4);
  });

  it('of a journal are told by their cursors, alone and compressed', async () => {
    await take([
      journalLine('c1', 'one'),
      journalLine('c2', 'two'),
      journalLine('c1', 'one', { peer: '192.0.2.99:1' }),
    ]);
    await take([
      body('journal', gzipSync(entry('c2', 'two') + entry('c3', 'three') + entry('c1', 'ONE')), {
        encoding: 'gzip',
      }),
    ]);
    await take([journalLine('c3', 'three')]);
    assert.deepEqual(
      await rows("app = 'su'"),
      [
        '0 web5 su 255 journal one',
        '0 web5 su 255 journal two',
        '2 web5 su 255 journal three',
        '3 web5 su 255 journal ONE',
      ].map((row) => row),
    );
    assert.deepEqual(await rows("app = 'su' AND mapContains(fields, 'conflicting_key')"), [
      '3 web5 su 255 journal ONE',
    ]);
  });

  it('give the same rows when the index is made again', async () => {
    const wanted = await everything();
    const { lines, redelivered, conflicts } = index.state();
    await index.rebuild();
    await whole();
    assert.deepEqual(await everything(), wanted);
    const again = index.state();
    assert.deepEqual([again.lines, again.redelivered, again.conflicts], [lines, redelivered, conflicts]);
  });
});
