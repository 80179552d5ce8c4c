import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { attribute, bytes, fixed64, integer, snappyLiteral } from '../../testing/encoded.ts';
import { partsOf } from '../../testing/parts.ts';
import { longestValue, mostFields } from '../fields.ts';
import { bodyFormats, type BodyMeta } from './format.ts';

describe('bodies of any bytes', () => {
  let state = 4318;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };

  const protobuf = bytes(
    1,
    bytes(1, attribute(1, 'service.name', 'shop')),
    bytes(
      2,
      bytes(1, bytes(1, 's')),
      ...['a', 'b'].map((one) => bytes(2, fixed64(1, 1n), bytes(5, bytes(1, one)))),
    ),
  );
  const seeds = [
    protobuf,
    snappyLiteral(protobuf),
    gzipSync(protobuf),
    zstdCompressSync('{"a":1}\n{"b":2}'),
    bytes(1, bytes(1, '{a="b"}'), bytes(2, bytes(1, integer(1, 5)), bytes(2, 'line'))),
    Buffer.from(
      '{"resourceLogs":[{"resource":{"attributes":[{"key":"a","value":{"kvlistValue":{"values":[{"key":"b","value":{"arrayValue":{"values":[{"intValue":"1"}]}}}]}}}]},"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"},"timeUnixNano":"1"}]}]}]}',
    ),
    Buffer.from('{"streams":[{"stream":{"a":"b"},"values":[["1","x",{"c":"d"}]]}]}'),
    Buffer.from('{"index":{}}\n{"message":"x","@timestamp":"2026-05-12T00:00:00Z"}\n{"delete":{}}\n'),
    Buffer.from(
      '__CURSOR=s=1\nMESSAGE\n\u0003\0\0\0\0\0\0\0abc\n_PID=1\n\n__CURSOR=s=2\nMESSAGE=b\n',
      'latin1',
    ),
    Buffer.from('{"short_message":"x","host":"h","_a":1,"timestamp":1.5}'),
  ];
  const encodings = ['identity', 'gzip', 'deflate', 'zstd', 'snappy', 'br', 'huh'];
  const types = ['', 'application/json', 'application/x-protobuf'];

  const check = (raw: Buffer, meta: BodyMeta): void => {
    const parts = partsOf(raw, meta, { lines: 2000, unpacked: 4 * 1024 * 1024 });
    const place = JSON.stringify([meta, raw.toString('latin1', 0, 300)]);
    assert.ok(parts.length >= 1 && parts.length <= 2001, place);
    for (const { bytes: own, raw: text, parsed } of parts) {
      assert.equal(text, own.toString('latin1'), place);
      assert.ok(
        parsed.messageStart >= 0 &&
          parsed.messageStart <= parsed.messageEnd &&
          parsed.messageEnd <= text.length,
        place,
      );
      assert.equal(parsed.fields.length % 2, 0, place);
      assert.ok(parsed.claimed === null || Number.isSafeInteger(parsed.claimed), place);
      assert.ok(parsed.severity === 255 || parsed.severity < 8, place);
      assert.ok(parsed.facility === 255 || parsed.facility < 24, place);
      assert.ok(parsed.pid === null || (parsed.pid >= 0 && parsed.pid <= 0xffff_ffff), place);
      assert.ok(parsed.host.length <= 255 && parsed.app.length <= 255, place);
      assert.ok((parsed.guessed & ~0xf00) === 0, place);
      if (meta.format !== 'journal') assert.ok(parsed.fields.length <= 2 * (2 * mostFields + 8), place);
      for (const one of [parsed.host, parsed.app, parsed.message ?? '', ...parsed.fields]) {
        assert.ok(!/[^\u0000-\u00ff]/.test(one), `not a byte string: ${place}`);
      }
      if (meta.format !== 'journal')
        for (const field of parsed.fields) assert.ok(field.length <= longestValue, place);
    }
  };

  it('never throw, and stay within their bounds', () => {
    const rounds = process.env['HOLDFAST_TEST_FULL'] === '1' ? 500_000 : 4_000;
    for (let round = 0; round < rounds; round += 1) {
      let raw = Buffer.from(seeds[random(seeds.length)] ?? '');
      for (let changes = random(6); changes > 0 && raw.length > 0; changes -= 1) {
        const place = random(raw.length);
        if (random(4) === 0)
          raw = Buffer.concat([
            raw.subarray(0, place),
            seeds[random(seeds.length)] ?? raw,
            raw.subarray(place + random(8)),
          ]);
        else raw[place] = random(256);
      }
      if (random(3) === 0) raw = raw.subarray(0, random(raw.length + 1));
      check(raw, {
        format: bodyFormats[random(bodyFormats.length)] ?? 'otlp',
        type: types[random(types.length)] ?? '',
        encoding: random(2) === 0 ? 'identity' : (encodings[random(encodings.length)] ?? ''),
        key: '',
      });
    }
  });

  it('never throw where they nest deeply or go on for long', () => {
    let nested = bytes(1, 'x');
    for (let depth = 0; depth < 3000; depth += 1) nested = bytes(5, bytes(1, nested));
    const hurtful = [
      bytes(1, bytes(2, bytes(2, bytes(5, nested)))),
      Buffer.from(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`),
      Buffer.from(`{"streams":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
      Buffer.from(`{"msg":${JSON.stringify('\\"'.repeat(100_000))}}`),
      Buffer.from('{"index":{}}\n'.repeat(50_000)),
      Buffer.from('\n'.repeat(1_000_000)),
      Buffer.from('{'.repeat(200_000)),
      bytes(1, bytes(1, `{${'a="b",'.repeat(50_000)}`), bytes(2, bytes(2, 'x'))),
      bytes(1, bytes(1, `{a="${'\\'.repeat(100_001)}`), bytes(2, bytes(2, 'x'))),
      zstdCompressSync(Buffer.alloc(100 * 1024 * 1024)),
    ];
    for (const raw of hurtful)
      for (const format of bodyFormats)
        for (const type of types) check(raw, { format, type, encoding: 'identity', key: '' });
    check(hurtful.at(-1) ?? Buffer.alloc(0), { format: 'otlp', type: '', encoding: 'zstd', key: '' });
  });

  it('take what is shared by many records only once', () => {
    const records = Array.from({ length: 20_000 }, () => bytes(2, bytes(5, bytes(1, 'x'))));
    const long = 'v'.repeat(4 * 1024 * 1024);
    const many = Array.from({ length: 100_000 }, (_, i) => attribute(1, `k${i}`, 'v'));
    for (const resource of [[attribute(1, 'service.name', long)], many]) {
      const began = process.cpuUsage();
      const parts = partsOf(bytes(1, bytes(1, ...resource), bytes(2, ...records)), {
        format: 'otlp',
        type: 'application/x-protobuf',
        encoding: 'identity',
        key: '',
      });
      const { user, system } = process.cpuUsage(began);
      assert.equal(parts.length, records.length);
      for (const { parsed } of parts) assert.ok(parsed.app.length <= 255 && parsed.fields.length <= 128);
      // Minutes, if it is gone through again for each record.
      assert.ok(user + system < 20_000_000, `${(user + system) / 1e6} s`);
    }
  });

  it('are not unpacked where nothing but a bomb is that small', () => {
    for (const [encoding, raw] of [
      ['gzip', gzipSync(Buffer.alloc(8 * 1024 * 1024))],
      ['zstd', zstdCompressSync(Buffer.alloc(8 * 1024 * 1024))],
    ] as const) {
      const [part, ...more] = partsOf(raw, { format: 'jsonl', type: '', encoding, key: '' });
      assert.equal(more.length, 0);
      assert.match(String(part?.parsed.message), /unpacks to more than \d+ bytes/);
    }
    // Of what is small anyway nobody minds how it was packed.
    const small = gzipSync('{"a":1}\n'.repeat(50_000));
    assert.equal(partsOf(small, { format: 'jsonl', type: '', encoding: 'gzip', key: '' }).length, 50_000);
  });
});
