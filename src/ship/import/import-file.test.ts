import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { receivedIn, serveOwn } from '../testing/own-server.ts';
import { place, type Place } from '../testing/place.ts';
import { fileSource, importFile, streamSource, type Imported } from './import-file.ts';
import { inRotatedOrder } from './rotated.ts';

const text = Array.from({ length: 20_000 }, (_, i) => `May 12 03:00:00 web1 app: line ${i}`).join('\n');

type Receiver = { at: Place; import(path: string, host?: string): Promise<Imported> };

const receiver = async (t: TestContext): Promise<Receiver> => {
  const at = place(t);
  const server = await serveOwn(at.socket, at.received);
  at.after(() => server.close());
  return {
    at,
    import: (path, host = 'web1') =>
      importFile(fileSource(path, host, null), { socket: at.socket, onProgress: () => undefined }),
  };
};

const put = (at: Place, name: string, bytes: string | Buffer): string => {
  const path = join(at.logs, name);
  writeFileSync(path, bytes);
  return path;
};

const rawsOf = (at: Place, stream: string | null): string[] =>
  receivedIn(at.received)
    .filter((line) => line.stream === stream)
    .map(({ raw }) => raw.toString());

test('a file, its compressed copies and what it has grown to are one stream with the same numbers', async (t) => {
  const { at, import: take } = await receiver(t);
  const paths = [
    put(at, 'app.log', `${text}\n`),
    put(at, 'app.log.1.gz', gzipSync(`${text}\n`)),
    // Members and frames one after the other, as appending to a compressed file leaves them.
    put(
      at,
      'app.log.2.gz',
      Buffer.concat([gzipSync(text.slice(0, 9000)), gzipSync(`${text.slice(9000)}\n`)]),
    ),
    put(
      at,
      'app.log.3.zst',
      Buffer.concat([zstdCompressSync(text.slice(0, 9000)), zstdCompressSync(`${text.slice(9000)}\n`)]),
    ),
    put(at, 'grown.log', `${text}\nand one more\n`),
  ];
  for (const program of ['xz', 'bzip2'] as const) {
    const packed = spawnSync(program, ['-c'], { input: `${text}\n`, maxBuffer: 1e8 });
    if (packed.status === 0) paths.push(put(at, `app.log.${program}`, packed.stdout));
  }
  const imported: Imported[] = [];
  for (const path of paths) imported.push(await take(path));
  assert.equal(new Set(imported.map(({ stream }) => stream)).size, 1);
  for (const [i, { lines, broken }] of imported.entries())
    assert.deepEqual([lines, broken], [i === 4 ? 20_001 : 20_000, null], `number ${i}`);
  const received = receivedIn(at.received);
  const bySequence = Map.groupBy(received, ({ sequence }) => sequence);
  assert.ok(
    [...bySequence.values()].every((same) => new Set(same.map(({ raw }) => raw.toString())).size === 1),
  );
  assert.equal(bySequence.get(20_000)?.[0]?.raw.toString(), 'May 12 03:00:00 web1 app: line 19999');
  assert.notEqual((await take(paths[0] ?? '', 'web2')).stream, imported[0]?.stream, 'of another host');
});

const packers = [
  ['gzip', '.gz'],
  ['zstd', '.zst'],
  ['xz', '.xz'],
  ['bzip2', '.bz2'],
] as const;
type Packer = (typeof packers)[number][0];

const pack = (program: Packer, input: string): Buffer => {
  const { status, stdout, stderr } = spawnSync(program, ['-c'], { input, maxBuffer: 1e8 });
  assert.equal(status, 0, String(stderr));
  return stdout;
};

for (const [program, ending] of packers) {
  const lacks = spawnSync(program, ['-c'], { input: '' }).status === 0 ? false : `no ${program} here`;

  test(
    `${program}: cut off anywhere, it is imported up to there, and said so`,
    { skip: lacks },
    async (t) => {
      const { at, import: take } = await receiver(t);
      // More than a block of bzip2's, 900 kB, before which nothing of it can be read.
      const many = Array.from({ length: 40_000 }, (_, i) => `${i} ${randomBytes(24).toString('hex')}`);
      const packed = pack(program, `${many.join('\n')}\n`);
      for (const [part, least] of [
        [0.9, 15_000],
        [0.5, 1],
        [1 - 1 / packed.length, 20_000],
        [6 / packed.length, 0],
        [1 / packed.length, 0],
        [0, 0],
      ] as const) {
        const cut = packed.subarray(0, Math.round(packed.length * part));
        const { lines, stream, broken } = await take(put(at, `cut${ending}`, cut), `host-${part}`);
        const where = `${part} of it`;
        assert.match(
          broken ?? '',
          new RegExp(`^what ${program} made of it cannot be read to the end`),
          where,
        );
        assert.doesNotMatch(broken ?? '', /garbled/, where);
        assert.ok(lines >= least && lines <= many.length, `${where}: ${lines}`);
        if (stream !== null) assert.deepEqual(rawsOf(at, stream), many.slice(0, lines), where);
      }
    },
  );

  test(
    `${program}: what follows that is no part of it is told, all before it is imported`,
    { skip: lacks },
    async (t) => {
      const { at, import: take } = await receiver(t);
      const packed = pack(program, `${text}\n`);
      const appended = Buffer.concat([packed, packed, Buffer.from('May 12 03:00:00 web1 app: as it is\n')]);
      const { lines, broken } = await take(put(at, `appended${ending}`, appended));
      assert.match(broken ?? '', new RegExp(`^what ${program} made of it cannot be read to the end`));
      assert.equal(lines, 40_000);
    },
  );
}

test('a file that breaks before anybody reads it takes nothing down', async (t) => {
  const { at } = await receiver(t);
  const packed = gzipSync('one line\n');
  const source = fileSource(put(at, 'cut.gz', packed.subarray(0, 15)), 'web1', null);
  await sleep(200);
  const { broken } = await importFile(source, { socket: at.socket, onProgress: () => undefined });
  assert.match(broken ?? '', /unexpected end of file/);

  const gone = fileSource(put(at, 'gone.log', 'one line\n'), 'web1', null);
  rmSync(join(at.logs, 'gone.log'));
  const outcome = await importFile(gone, { socket: at.socket, onProgress: () => undefined });
  assert.match(outcome.broken ?? '', /ENOENT/);
});

test('what a file is tells how it begins, not its name', async (t) => {
  const { at, import: take } = await receiver(t);
  const plain = await take(put(at, 'plain.gz', 'one\ntwo\n'));
  assert.deepEqual([plain.lines, plain.broken], [2, null]);
  const packed = await take(put(at, 'packed.log', gzipSync('one\ntwo\n')));
  assert.deepEqual([packed.lines, packed.broken, packed.stream], [2, null, plain.stream]);
  const other = await take(put(at, 'other.gz', Buffer.from('PK\x03\x04\x14\0\0\0')));
  assert.match(other.broken ?? '', /no text/);
});

test('what is damaged is imported up to there, in whole lines, and said so', async (t) => {
  const { at, import: take } = await receiver(t);
  const packed = gzipSync(`${text}\n`);
  const damaged = Buffer.from(packed);
  const half = Math.floor(damaged.length / 2);
  damaged.fill(0xff, half, half + 64);
  const broken = await take(put(at, 'damaged.gz', damaged), 'damaged');
  assert.match(broken.broken ?? '', /may be garbled/);
  assert.deepEqual(rawsOf(at, broken.stream).slice(0, 5000), text.split('\n').slice(0, 5000));
  assert.equal(rawsOf(at, broken.stream).length, broken.lines);

  const binary = await take(put(at, 'wtmp', Buffer.alloc(5000)));
  assert.deepEqual([binary.lines, binary.stream], [0, null]);
  assert.match(binary.broken ?? '', /no text/);
  const nothing = await take(put(at, 'empty', ''));
  assert.deepEqual([nothing.lines, nothing.broken], [0, null]);
});

test('lines are exact: empty ones, CR, bytes that are no UTF-8, and a last one without its LF', async (t) => {
  const { at, import: take } = await receiver(t);
  const odd = Buffer.concat([Buffer.from('one\r\n\n'), Buffer.from([0xff, 0xfe, 0x0a]), Buffer.from('last')]);
  const { stream, lines } = await take(put(at, 'odd.log', odd));
  assert.equal(lines, 4);
  const received = receivedIn(at.received).filter((line) => line.stream === stream);
  assert.deepEqual(
    received.map(({ raw }) => raw.toString('latin1')),
    ['one\r', '', '\xff\xfe', 'last'],
  );
  assert.deepEqual(
    received.map(({ meta }) => [
      meta.via,
      meta.host,
      meta.path,
      meta.backfill,
      meta['unterminated'] ?? false,
    ]),
    [false, false, false, true].map((open) => ['import', 'web1', join(at.logs, 'odd.log'), true, open]),
  );
});

test('an export of a journal is taken apart by entries, also where their fields are binary', async (t) => {
  const { at, import: take } = await receiver(t);
  const length = Buffer.alloc(8);
  length.writeUInt32LE(5);
  const first = Buffer.concat([Buffer.from('__CURSOR=s=1\nMESSAGE\n'), length, Buffer.from('a\n\nb\0\n')]);
  const second = Buffer.from('__CURSOR=s=2\nMESSAGE=two\n');
  const { format, lines, stream } = await take(
    put(at, 'journal.export', Buffer.concat([first, Buffer.from('\n'), second])),
  );
  assert.deepEqual([format, lines], ['journal', 2]);
  assert.deepEqual(rawsOf(at, stream), [first.toString(), second.toString()]);
});

test('when a file was written is told by the date in its name, else by its time; a stream has none', async (t) => {
  const { at } = await receiver(t);
  const path = put(at, 'app.log-20230512.gz', gzipSync('x\n'));
  assert.equal(fileSource(path, 'h', null).writtenBy, Date.parse('2023-05-13T00:00:00Z') * 1000);
  const plain = put(at, 'syslog.1', 'x\n');
  utimesSync(plain, 1_672_617_600, 1_672_617_600);
  assert.equal(fileSource(plain, 'h', null).writtenBy, 1_672_617_600_000_000);
  assert.equal(fileSource(plain, 'h', 7).writtenBy, 7);

  const options = { socket: at.socket, onProgress: () => undefined };
  const piped = await importFile(streamSource(chunksOf('one\ntwo\n'), 'h', 7), options);
  assert.deepEqual([piped.lines, piped.broken], [2, null]);
  const packed = await importFile(streamSource(chunksOf(gzipSync('one\n')), 'h', 7), options);
  assert.match(packed.broken ?? '', /compressed with gzip/);
});

async function* chunksOf(...chunks: (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

test('rotated sets are taken from their oldest', () => {
  assert.deepEqual(
    inRotatedOrder([
      '/l/syslog',
      '/l/syslog.1',
      '/l/syslog.10.gz',
      '/l/syslog.2.gz',
      '/l/b.log',
      '/l/b.log-20260512',
      '/l/b.log-20260401.xz',
    ]),
    [
      '/l/b.log-20260401.xz',
      '/l/b.log-20260512',
      '/l/b.log',
      '/l/syslog.10.gz',
      '/l/syslog.2.gz',
      '/l/syslog.1',
      '/l/syslog',
    ],
  );
});

test('without a receiver nothing is said to be imported', async (t) => {
  const at = place(t);
  const path = put(at, 'app.log', 'x\n');
  await assert.rejects(
    importFile(fileSource(path, 'h', null), { socket: at.socket, onProgress: () => undefined }),
    {
      code: 'receiver-away',
    },
  );
});

test('a file that is cut short can wait until somebody reads it', async (t) => {
  const { at } = await receiver(t);
  const packed = gzipSync(text.slice(0, 9000)).subarray(0, -8);
  const source = fileSource(put(at, 'cut.gz', packed), 'web1', null);
  await sleep(100); // as whoever first says that it begins
  const { lines, broken } = await importFile(source, { socket: at.socket, onProgress: () => undefined });
  assert.ok(lines > 0, `${lines}`);
  assert.match(broken ?? '', /unexpected end of file/);
});
