import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { formatMicros } from '#base/rfc3339';
import { attribute, bytes, double, fixed64, integer, snappyLiteral, varint } from '../../testing/encoded.ts';
import { partsOf } from '../../testing/parts.ts';
import type { BodyMeta } from './format.ts';
import type { Part } from './part.ts';
import { unpack } from './unpack.ts';

type Seen = {
  time: string | null;
  host: string;
  app: string;
  severity: number;
  message: string;
  fields: Record<string, string>;
};

const seen = ({ raw, parsed }: Part): Seen => ({
  time: parsed.claimed === null ? null : formatMicros(parsed.claimed),
  host: parsed.host,
  app: parsed.app,
  severity: parsed.severity,
  message: parsed.message ?? raw.slice(parsed.messageStart, parsed.messageEnd),
  fields: Object.fromEntries(
    parsed.fields.flatMap((name, at) => (at % 2 === 0 ? [[name, parsed.fields[at + 1] ?? '']] : [])),
  ),
});

const only = (parts: Part[]): Seen => {
  const [part] = parts;
  assert.ok(part !== undefined && parts.length === 1, `${parts.length} parts`);
  return seen(part);
};

describe('JSON documents', () => {
  const read = (document: unknown): Seen => only(partsOf(JSON.stringify(document), {}));

  it('have their times in many ways', () => {
    const time = '2026-05-12T02:59:59.250000Z';
    for (const [name, value] of [
      ['time', '2026-05-12T02:59:59.250Z'],
      ['@timestamp', '2026-05-12T04:59:59.25+02:00'],
      ['timestamp', '2026-05-12 02:59:59,250'],
      ['ts', 1_778_554_799.25],
      ['time', 1_778_554_799_250],
      ['ts', '1778554799250000'],
      ['timestamp', '1778554799250000000'],
    ] as const)
      assert.equal(read({ [name]: value, msg: 'x' }).time, time, `${name} ${value}`);
    for (const none of ['yesterday', '', 17, null, {}])
      assert.equal(read({ time: none, msg: 'x' }).time, null);
  });

  it('have levels of syslog, of names, and of pino', () => {
    for (const [level, wanted] of [
      ['error', 3],
      ['FATAL', 2],
      ['Trace', 7],
      [4, 4],
      [30, 6],
      [60, 2],
      ['huh', 255],
    ] as const)
      assert.equal(read({ level, msg: 'x' }).severity, wanted, String(level));
    assert.equal(read({ log: { level: 'warn' }, message: 'x' }).severity, 4);
  });

  it('have host, app and message under the names that are usual, and keep the rest as fields', () => {
    assert.deepEqual(
      read({
        message: 'login user=bob',
        host: { name: 'web1' },
        service: { name: 'shop' },
        http: { status: 502 },
        tags: ['a'],
      }),
      {
        time: null,
        host: 'web1',
        app: 'shop',
        severity: 255,
        message: 'login user=bob',
        fields: {
          'host.name': 'web1',
          'service.name': 'shop',
          'http.status': '502',
          tags: '["a"]',
          user: 'bob',
        },
      },
    );
    assert.equal(read({ msg: 'say "hi" \u00e4', hostname: 'h' }).message, 'say "hi" \u00c3\u00a4');
    assert.equal(read({ a: 1 }).message, '{"a":1}');
  });

  it('come on lines, over several lines, in a list, and among text', () => {
    assert.deepEqual(
      partsOf('{"msg":"a"}\r\n\n<13>May 12 02:59:59 h su: b\nc d=e\n', {}).map((part) => {
        const { message, app, fields } = seen(part);
        return [message, app, fields['d']];
      }),
      [
        ['a', '', undefined],
        ['b', 'su', undefined],
        ['c d=e', '', 'e'],
      ],
    );
    assert.equal(only(partsOf('{\n "msg": "a"\n}\n', {})).message, 'a');
    assert.deepEqual(
      partsOf('[{"msg":"a"},\n{"msg":"b"}]', {}).map((part) => [seen(part).message, part.bytes.toString()]),
      [
        ['a', '{"msg":"a"}'],
        ['b', '{"msg":"b"}'],
      ],
    );
  });
});

describe('OTLP', () => {
  const any = (value: Buffer): Buffer => bytes(5, value);
  const request = (...record: Buffer[]): Buffer => bytes(1, bytes(2, bytes(2, ...record)));
  const read = (...record: Buffer[]): Seen =>
    only(partsOf(request(...record), { format: 'otlp', type: 'application/x-protobuf' }));

  it('has values of all kinds in its bodies', () => {
    for (const [value, wanted] of [
      [bytes(1, 'text'), 'text'],
      [integer(2, 1), 'true'],
      [integer(3, -5), '-5'],
      [integer(3, 9_007_199_254_740_993n), '9007199254740993'],
      [double(4, 1.5), '1.5'],
      [double(4, NaN), 'NaN'],
      [bytes(5, bytes(1, bytes(1, 'a')), bytes(1, integer(3, 2))), '["a",2]'],
      [bytes(6, attribute(1, 'k', 'v')), '{"k":"v"}'],
      [bytes(7, Buffer.from([1, 2])), 'AQI='],
    ] as const)
      assert.equal(read(any(value)).message, wanted);
    assert.equal(read(bytes(12, 'login')).message, 'login');
  });

  it('has its severities, and the time it was observed where it has no other', () => {
    assert.deepEqual(
      [1, 5, 9, 10, 13, 17, 18, 19, 21, 24, 25].map((number) => read(integer(2, number)).severity),
      [7, 7, 6, 5, 4, 3, 2, 1, 0, 0, 255],
    );
    assert.equal(read(bytes(3, 'Error')).severity, 3);
    const observed = fixed64(11, 1_778_554_799_250_000_999n);
    assert.equal(read(observed).time, '2026-05-12T02:59:59.250000Z');
    assert.equal(read(observed, fixed64(1, 1_778_554_799_000_000_000n)).time, '2026-05-12T02:59:59.000000Z');
  });

  it('is the same in JSON, with either spelling', () => {
    const json = (record: unknown): Seen =>
      only(
        partsOf(JSON.stringify({ resource_logs: [{ scopeLogs: [{ log_records: [record] }] }] }), {
          format: 'otlp',
          type: 'application/json; charset=utf-8',
        }),
      );
    const wanted = read(
      fixed64(1, 1_778_554_799_250_000_000n),
      integer(2, 17),
      any(bytes(1, 'x')),
      bytes(6, bytes(1, 'n'), bytes(2, integer(3, 7))),
      bytes(9, Buffer.from('0a0b0c0d0e0f10110a0b0c0d0e0f1011', 'hex')),
    );
    assert.deepEqual(
      json({
        time_unix_nano: '1778554799250000000',
        severityNumber: 'SEVERITY_NUMBER_ERROR',
        body: { stringValue: 'x' },
        attributes: [{ key: 'n', value: { int_value: '7' } }],
        traceId: '0A0B0C0D0E0F10110a0b0c0d0e0f1011',
      }),
      wanted,
    );
    assert.equal(wanted.fields['n'], '7');
  });
});

describe('Loki', () => {
  it('quotes labels as Go does', () => {
    const parts = partsOf(
      bytes(
        1,
        bytes(1, '{ app = "a\\"b\\u00e4", job=`c\\d`, x="1"}'),
        bytes(2, bytes(2, 'l'), bytes(3, bytes(1, 'm'), bytes(2, 'n'))),
      ),
      { format: 'loki', type: 'application/x-protobuf' },
    );
    const { app, fields } = only(parts);
    assert.equal(app, 'a"b\u00c3\u00a4');
    assert.deepEqual(fields, { m: 'n', app: 'a"b\u00c3\u00a4', job: 'c\\d', x: '1' });
  });

  it('has structured metadata in JSON too', () => {
    const { fields, time } = only(
      partsOf('{"streams":[{"stream":{"app":"a"},"values":[["1778554799250000000","l",{"trace":"t"}]]}]}', {
        format: 'loki',
        type: 'application/json',
      }),
    );
    assert.deepEqual([fields, time], [{ trace: 't', app: 'a' }, '2026-05-12T02:59:59.250000Z']);
  });
});

it('bulk bodies keep step, whatever stands in them', () => {
  const text = [
    '{"index":{"_index":"logs"}}',
    '{"message":"a"}',
    '{"delete":{"_id":"1"}}',
    '{"update":{"_id":"1"}}',
    '{"doc":{"message":"b"}}',
    'not an action',
    '{"create":{}}',
    'not a document',
    '{"create":{}}',
    '{"message":"c"}',
  ].join('\n');
  assert.deepEqual(
    partsOf(text, { format: 'bulk' }).map((part) => {
      const { message, fields } = seen(part);
      return [message, fields['_index'] ?? fields['_action'] ?? fields['undecoded']];
    }),
    [
      ['a', 'logs'],
      ['{"delete":{"_id":"1"}}', 'delete'],
      ['b', 'update'],
      ['line: no action', 'no action'],
      ['document: no JSON object', 'no JSON object'],
      ['c', undefined],
    ],
  );
});

it('GELF loses the underscores of its additional fields', () => {
  const { app, host, severity, message, time, fields } = only(
    partsOf(
      '{"version":"1.1","host":"h","short_message":"s","full_message":"f","timestamp":1778554799.25,"level":3,"facility":"x","_user":"u","__proto__":"p"}',
      { format: 'gelf' },
    ),
  );
  assert.deepEqual([app, host, severity, message, time], ['x', 'h', 3, 's', '2026-05-12T02:59:59.250000Z']);
  assert.equal(fields['user'], 'u');
  assert.equal(fields['full_message'], 'f');
});

describe('compressed bodies', () => {
  const text = Buffer.from('{"msg":"abcabcabcabc"}');

  it('unpack, whatever they were packed with', () => {
    for (const [encoding, packed] of [
      ['gzip', gzipSync(text)],
      ['deflate', deflateSync(text)],
      ['deflate', deflateRawSync(text)],
      ['zstd', zstdCompressSync(text)],
      ['br', brotliCompressSync(text)],
      ['snappy', snappyLiteral(text)],
    ] as const)
      assert.deepEqual(unpack(packed, encoding), text, encoding);
  });

  it('unpack from snappy with copies of all lengths, and framed', () => {
    // "abcd", then 8 bytes from 4 back (overlapping), 3 from 12 back in two bytes, 3 from 12 back in four.
    const block = Buffer.concat([
      varint(18),
      Buffer.from([3 << 2]),
      Buffer.from('abcd'),
      Buffer.from([1 | (4 << 2), 4]),
      Buffer.from([2 | (2 << 2), 12, 0]),
      Buffer.from([3 | (2 << 2), 12, 0, 0, 0]),
    ]);
    const wanted = 'abcdabcdabcdabcdab';
    assert.equal(unpack(block, 'snappy').toString(), wanted);
    const chunk = (kind: number, data: Buffer): Buffer => {
      const head = Buffer.alloc(8);
      head[0] = kind;
      head.writeUIntLE(data.length + 4, 1, 3);
      return Buffer.concat([head, data]);
    };
    const framed = Buffer.concat([
      Buffer.from('\u00ff\u0006\u0000\u0000sNaPpY', 'latin1'),
      chunk(0, block),
      chunk(1, Buffer.from('!')),
    ]);
    assert.equal(unpack(framed, 'snappy-framed').toString(), `${wanted}!`);
  });

  it('are not unpacked beyond their bound', () => {
    const bomb = Buffer.alloc(1024 * 1024);
    for (const [encoding, packed] of [
      ['gzip', gzipSync(bomb)],
      ['deflate', deflateSync(bomb)],
      ['zstd', zstdCompressSync(bomb)],
      ['br', brotliCompressSync(bomb)],
      ['snappy', snappyLiteral(bomb)],
    ] as const)
      assert.throws(() => unpack(packed, encoding, 1000), /more than 1000 bytes/, encoding);
    assert.throws(() => unpack(Buffer.concat([varint(0xffff_ffff), Buffer.from([0])]), 'snappy'), /bytes/);
  });
});

it('JSON of more objects than memory is given for is one line, though it is short; brackets in texts are none', () => {
  const meta: Partial<BodyMeta> = { format: 'otlp', type: 'application/json' };
  const body = (records: string): string => `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${records}]}]}]}`;
  const [dense, ...more] = partsOf(body(`${'{},'.repeat(2_000_000)}{}`), meta);
  assert.ok(dense !== undefined && more.length === 0);
  assert.deepEqual(seen(dense).fields, { undecoded: 'JSON of more than 2000000 objects and lists' });
  const [text] = partsOf(body(`{"body":{"stringValue":"\\"${'[{'.repeat(1_500_000)}"}}`), meta);
  assert.equal(text?.parsed.fields.includes('undecoded'), false);
});

it('what is more than the budget allows is one line', () => {
  const text = '{"msg":"x"}\n'.repeat(100);
  const parts = partsOf(text, {}, { lines: 10 });
  assert.equal(parts.length, 11);
  const last = parts.at(-1);
  assert.ok(last !== undefined);
  assert.deepEqual(seen(last).fields, { undecoded: 'more lines than are taken out of one entry' });
  assert.equal(partsOf(text, {}, { kept: 2000 }).length < 10, true);
  // One resource with large attributes, and many records that each get them.
  const resource = bytes(1, ...Array.from({ length: 60 }, (_, n) => attribute(1, `k${n}`, 'v'.repeat(1000))));
  const many = bytes(1, resource, bytes(2, ...Array.from({ length: 1000 }, () => bytes(2, integer(2, 9)))));
  const meta: Partial<BodyMeta> = { format: 'otlp', type: 'application/x-protobuf' };
  assert.ok(partsOf(many, meta, { kept: 1_000_000 }).length < 20);
});
