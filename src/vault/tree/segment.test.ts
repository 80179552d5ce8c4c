import assert from 'node:assert/strict';
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { micros } from '#base/clock';
import { decodeRecord, encodeRecord } from '#vault/record';
import { batchLeaves } from './batch.ts';
import { VaultFormatError } from './format-error.ts';
import { decompressSegment, encodeRedacted, encodeSegment, parseSegment, segmentLeaves } from './segment.ts';

describe('segment', () => {
  const raws = [
    Buffer.from('plain'),
    Buffer.alloc(0),
    Buffer.from([0, 10, 13, 0xff, 0xfe, 0, 0xc3]),
    randomBytes(70_000),
  ];
  const records = raws.map((raw, i) =>
    encodeRecord({
      flags: i,
      framing: 0,
      received: micros(1_778_554_800_000_000 + i),
      sequence: i,
      listener: 'l',
      peer: 'p',
      tlsName: '',
      stream: 's',
      meta: '{}',
      raw,
    }),
  );
  const key = randomBytes(32);

  it('gives back every byte: NUL, line ends, what is not UTF-8, nothing at all', () => {
    const stored = zstdCompressSync(encodeSegment(key, records.length, records));
    const segment = parseSegment(decompressSegment(stored));
    assert.ok(segment.key?.equals(key));
    assert.equal(segment.lineCount, 4);
    for (const [i, raw] of raws.entries()) {
      const { record, next } = decodeRecord(segment.records, segment.offsets[i]);
      assert.ok(record.raw.equals(raw));
      assert.equal(record.received, 1_778_554_800_000_000 + i);
      assert.equal(next, segment.offsets[i + 1]);
    }
  });
  it('refuses what is shorter, longer or otherwise', () => {
    const plain = encodeSegment(key, records.length, records);
    const patched = (at: number, value: number): Buffer => {
      const copy = Buffer.from(plain);
      copy.writeUInt32BE(value, at);
      return copy;
    };
    const bad = [
      plain.subarray(0, 20),
      plain.subarray(0, -1),
      Buffer.concat([plain, Buffer.from('x')]),
      patched(0, 1),
      patched(4, 2),
      patched(40, 0),
      patched(40, 5),
      patched(40, 70_000),
      patched(44, 0xffff_ffff),
    ];
    for (const bytes of bad) assert.throws(() => parseSegment(bytes), VaultFormatError);
    assert.throws(() => decompressSegment(plain), VaultFormatError);
  });
  it('does not grow beyond bounds: a bomb is refused', () => {
    assert.throws(
      () => decompressSegment(zstdCompressSync(Buffer.alloc(200 * 1024 * 1024))),
      VaultFormatError,
    );
  });
  it('has the leaves of the definition: SHA-256(0x00 ‖ salt ‖ record), salts from AES-256-CTR', () => {
    const all = Buffer.concat(records);
    const { offsets } = parseSegment(encodeSegment(key, records.length, records));
    const salts = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(
      Buffer.alloc(16 * records.length),
    );
    const expected = records.map((record, i) =>
      createHash('sha256')
        .update(Buffer.concat([Buffer.from([0]), salts.subarray(16 * i, 16 * i + 16), record]))
        .digest(),
    );
    const before = Buffer.from(all);
    assert.ok(batchLeaves(all, offsets, key).equals(Buffer.concat(expected)));
    assert.ok(all.equals(before), 'the records are left as they are');
  });
});

describe('segment with redacted lines', () => {
  const lines = ['manifest', 'one', 'two', 'three'].map((text, i) =>
    encodeRecord({
      flags: 0,
      framing: 0,
      received: micros(1_778_554_800_000_000 + i),
      sequence: 0,
      listener: 'l',
      peer: 'p',
      tlsName: '',
      stream: '',
      meta: '',
      raw: Buffer.from(text),
    }),
  );
  const key = randomBytes(32);
  const whole = parseSegment(encodeSegment(key, lines.length, lines));
  const once = encodeRedacted(whole, 2);

  it('keeps the root, and every other line with its salt', () => {
    const segment = parseSegment(once);
    assert.equal(segment.lineCount, 4);
    assert.deepEqual([...segment.redacted.keys()], [2]);
    assert.ok(segmentLeaves(segment).equals(segmentLeaves(whole)));
    for (const [i, line] of lines.entries()) {
      const at = segment.records.subarray(segment.offsets[i], segment.offsets[i + 1]);
      assert.ok(at.equals(i === 2 ? Buffer.alloc(0) : line));
    }
    assert.ok(segment.salts.subarray(48, 64).equals(whole.salts.subarray(48, 64)));
  });
  it('has neither the line nor its salt nor the key any more', () => {
    assert.ok(whole.key !== null && !once.includes(whole.key));
    assert.ok(!once.includes('two'));
    assert.ok(!once.includes(whole.salts.subarray(32, 48)));
  });
  it('can lose another line, in whatever order, but not the manifest and none twice', () => {
    const one = encodeRedacted(parseSegment(once), 1);
    assert.ok(one.equals(encodeRedacted(parseSegment(encodeRedacted(whole, 1)), 2)));
    assert.ok(segmentLeaves(parseSegment(one)).equals(segmentLeaves(whole)));
    for (const line of [0, 2, 4, -1, 0.5])
      assert.throws(() => encodeRedacted(parseSegment(once), line), RangeError);
  });
  it('is refused in any other form', () => {
    const patched = (at: number, value: number): Buffer => {
      const bytes = Buffer.from(once);
      bytes.writeUInt32BE(value, at);
      return bytes;
    };
    const bad = [
      once.subarray(0, 15),
      once.subarray(0, 60),
      once.subarray(0, -1),
      Buffer.concat([once, Buffer.from('x')]),
      patched(4, 3),
      patched(8, 0),
      patched(8, 5),
      patched(12, 0),
      patched(12, 2),
      patched(12, 4),
      patched(12, 0xffff_ffff),
      patched(16, 0),
      patched(16, 4),
    ];
    for (const bytes of bad) assert.throws(() => parseSegment(bytes), VaultFormatError);
  });
});
