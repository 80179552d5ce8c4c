import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { micros } from '#base/clock';
import { growAmendments, parseAmendments } from './amendments.ts';
import { parseBase64, parseDecimal } from './decimal.ts';
import { edgeRoot, emptyEdge, growEdge, loadEdge } from './edge.ts';
import { encodeEntry, parseEntry, type Entry } from './entry.ts';
import { VaultFormatError } from './format-error.ts';
import { leafHash, treeRoot } from './hash.ts';
import { indexPath, parseVaultPath, tilePath } from './tile-path.ts';

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
    {
      kind: 'expire',
      entries: { first: 0, end: 7 },
      class: 'default',
      policy: 'older-than-400d',
      by: 'Ada, by ticket #12 ~',
      ...common,
    },
    { kind: 'hold', entries: { first: 3, end: 4 }, reason: 'case 7: 50% of it', by: 'Ada', ...common },
    { kind: 'release', hold: 8, reason: 'case 7 closed', by: 'Bob', ...common },
    {
      kind: 'redact',
      target: { entry: 3, line: 12 },
      segment: { sha256: randomBytes(32), length: 98 },
      reason: 'a password',
      by: 'Ada',
      ...common,
    },
    { kind: 'key', key: 'example/log+00112233+AbC/+=', reason: 'yearly', ...common },
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

describe('amendments', () => {
  const common = { committed: micros(1), prev: { size: 0, sha256: randomBytes(32) } };
  const beat: Entry = { kind: 'heartbeat', ...common };
  const hold: Entry = { kind: 'hold', entries: { first: 0, end: 1 }, reason: 'r', by: 'b', ...common };
  it('names what is not a batch, a restart or a heartbeat, and no file where there is none', () => {
    assert.equal(growAmendments(Buffer.alloc(0), 5, [beat, beat]), null);
    const first = growAmendments(Buffer.alloc(0), 5, [beat, hold, beat, hold]);
    assert.equal(first?.bytes.toString(), '6\n8\n');
    assert.equal(growAmendments(first.bytes, 9, [hold])?.bytes.toString(), '6\n8\n9\n');
    assert.deepEqual(parseAmendments(Buffer.from('6\n8\n9\n')), [6, 8, 9]);
  });
  it('comes out the same when it is done a second time after a crash', () => {
    const done = growAmendments(Buffer.from('3\n'), 5, [hold, beat, hold])?.bytes ?? Buffer.alloc(0);
    assert.ok(growAmendments(done, 5, [hold, beat, hold])?.bytes.equals(done));
  });
  it('has one form only', () => {
    for (const text of ['', '6', '6\n8', '08\n', '8\n6\n', '6\n6\n', '6\n\n', ' 6\n', '-1\n', '6\r\n'])
      assert.throws(() => parseAmendments(Buffer.from(text)), VaultFormatError, JSON.stringify(text));
  });
  it('takes texts of printable ASCII alone, and no empty range', () => {
    const bad: Entry[] = [
      { ...hold, reason: 'two\nlines' },
      { ...hold, reason: '' },
      { ...hold, by: 'Zoë' },
      { ...hold, by: 'x'.repeat(201) },
      { ...hold, entries: { first: 1, end: 1 } },
    ];
    for (const entry of bad)
      assert.throws(() => parseEntry(encodeEntry(entry)), VaultFormatError, JSON.stringify(entry));
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
    assert.deepEqual(parseVaultPath('segment/x012/345.zst'), {
      kind: 'segment',
      entry: 12_345,
      redaction: null,
    });
    assert.deepEqual(parseVaultPath('segment/005.r17.zst'), { kind: 'segment', entry: 5, redaction: 17 });
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
      'segment/005.r.zst',
      'segment/005.r07.zst',
      'segment/005.r1.r2.zst',
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
