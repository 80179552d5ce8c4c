import assert from 'node:assert/strict';
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { micros } from '#base/clock';
import { decodeRecord, encodeRecord } from '#vault/record';
import { batchLeaves } from './batch.ts';
import { parseBase64, parseDecimal } from './decimal.ts';
import { edgeRoot, emptyEdge, growEdge, loadEdge } from './edge.ts';
import { encodeEntry, parseEntry, type Entry } from './entry.ts';
import { VaultFormatError } from './format-error.ts';
import { leafHash, treeRoot } from './hash.ts';
import { decompressSegment, encodeSegment, parseSegment } from './segment.ts';
import { indexPath, parseVaultPath, tilePath } from './tile-path.ts';

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
    assert.ok(segment.key.equals(key));
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

describe('outer entry', () => {
  const common = { committed: micros(1_778_554_800_123_456), prev: { size: 7, sha256: randomBytes(32) } };
  const entries: Entry[] = [
    {
      kind: 'batch',
      class: 'default',
      root: randomBytes(32),
      lines: 3,
      earliest: micros(1),
      latest: micros(2),
      segment: { sha256: randomBytes(32), length: 99 },
      ...common,
    },
    { kind: 'restart', reason: 'start', ...common },
    { kind: 'heartbeat', ...common },
  ];
  it('comes back as it was', () => {
    for (const entry of entries) assert.deepEqual(parseEntry(encodeEntry(entry)), entry);
  });
  it('has one form only', () => {
    for (const entry of entries) {
      const text = encodeEntry(entry).toString();
      const variants = [
        text.trimEnd(),
        `${text}\n`,
        `${text}x y\n`,
        text.replace('prev 7', 'prev 07'),
        text.replace('prev 7', 'prev 0x7'),
        text.replace('prev 7', 'prev '),
        text.replace('.123456Z', '.123456+00:00'),
        text.replace('.123456Z', '.12345Z'),
        text.replace('/v1', '/v2'),
        text.toUpperCase(),
        text.replace('\n', '\r\n'),
        '',
      ];
      for (const variant of variants) {
        assert.throws(() => parseEntry(Buffer.from(variant)), VaultFormatError, JSON.stringify(variant));
      }
    }
  });
});

describe('strict numbers and base64', () => {
  it('refuses what Number, BigInt and Buffer would let pass', () => {
    for (const text of ['', ' 1', '1 ', '01', '+1', '-0', '0x10', '1e3', '1.0', '9007199254740993', '٣'])
      assert.equal(parseDecimal(text), null, text);
    assert.equal(parseDecimal('9007199254740991'), Number.MAX_SAFE_INTEGER);
    for (const text of ['YQ', 'YQ=', 'YR==', 'YQ==\n', 'Y Q==', 'YQ==YQ==', '-_8='])
      assert.equal(parseBase64(text), null, text);
    assert.equal(parseBase64('YQ==')?.toString(), 'a');
  });
});

describe('tile paths', () => {
  it('are those of tlog-tiles', () => {
    assert.equal(indexPath(0), '000');
    assert.equal(indexPath(999), '999');
    assert.equal(indexPath(1000), 'x001/000');
    assert.equal(indexPath(1_234_067), 'x001/x234/067');
    assert.equal(tilePath({ level: 1, index: 0, width: 1 }), 'tile/1/000.p/1');
    assert.equal(tilePath({ level: 'entries', index: 255, width: 256 }), 'tile/entries/255');
  });
  it('are read strictly', () => {
    assert.deepEqual(parseVaultPath('tile/0/x001/x234/067.p/255'), {
      kind: 'tile',
      tile: { level: 0, index: 1_234_067, width: 255 },
    });
    assert.deepEqual(parseVaultPath('segment/x012/345.zst'), { kind: 'segment', entry: 12_345 });
    for (const path of [
      'tile/0/1',
      'tile/0/x000/001',
      'tile/0/000.p/256',
      'tile/0/000.p/0',
      'tile/0/000.p/01',
      'tile/7/000',
      'tile/00/000',
      'segment/000',
      'segment/../x.zst',
      'checkpoint2',
      'staging/a/b',
      'history/0',
    ]) {
      assert.equal(parseVaultPath(path), null, path);
    }
  });
});

describe('right edge', () => {
  it('grows to the same tree whatever the steps, and can be loaded at each', () => {
    const entries = Array.from({ length: 70_000 }, (_, i) => Buffer.from(`e${i}`));
    const hashes = Buffer.concat(entries.map(leafHash));
    const files = new Map<string, Buffer>();
    const read = (path: string): Buffer => {
      const found = files.get(path);
      if (found === undefined) throw new Error(`no ${path}`);
      return found;
    };
    let edge = emptyEdge;
    for (const size of [0, 1, 2, 255, 256, 257, 511, 512, 600, 65_535, 65_536, 65_537, 70_000]) {
      const growth = growEdge(edge, entries.slice(edge.size, size));
      edge = growth.edge;
      for (const file of growth.files) files.set(file.path, file.bytes);
      const root = treeRoot(hashes.subarray(0, size * 32));
      assert.ok(edgeRoot(edge).equals(root), `size ${size}`);
      const loaded = loadEdge(read, size, root);
      assert.ok(loaded.bundle.equals(edge.bundle));
      assert.throws(() => loadEdge(read, size, leafHash(root)), VaultFormatError);
      if (size === 256)
        assert.deepEqual(growth.files.map((file) => file.path).sort(), [
          'tile/0/000',
          'tile/1/000.p/1',
          'tile/entries/000',
        ]);
    }
    for (const [path, bytes] of files) {
      if (/^tile\/\d\/[x0-9/]+$/.test(path)) assert.equal(bytes.length, 8192, path);
    }
    // A full tile at the edge is followed upwards: a change in it shows.
    const at = 65_536;
    const full = files.get('tile/0/255');
    assert.ok(full);
    files.set('tile/0/255', Buffer.from(full).fill(1, 8160));
    assert.throws(() => loadEdge(read, at, treeRoot(hashes.subarray(0, at * 32))), VaultFormatError);
  });
});
