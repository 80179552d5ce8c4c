import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { openCheckpoint, parseCheckpoint, parseHistory, parseVkey, type Checkpoint } from '#vault/checkpoint';
import {
  compactRange,
  edgeTiles,
  foldPeaks,
  hashAt,
  leafHash,
  levelCount,
  parseBundle,
  peaks,
  tilePath,
  tileWidth,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
} from '#vault/tree';
import { beats, delivery, openTest } from '../vault/testing/test-vault.ts';
import { startPublisher } from './index.ts';
import { grow, serve, type Served } from './testing/served.ts';

/** Fetches a tile as a client of the log does. */
const fetched = async ({ get }: Served, path: string): Promise<Buffer> => {
  const { status, headers, body } = await get(`/${path}`);
  assert.equal(status, 200, path);
  assert.equal(headers['content-type'], 'application/octet-stream');
  return body;
};

const checkpointOf = async ({ get, made }: Served): Promise<Checkpoint> => {
  const { status, headers, body } = await get('/checkpoint');
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
  return openCheckpoint(body, parseVkey(made.vkey));
};

/** Leaf hashes of the whole log from its tiles, every tile checked against its parent and the edge against the root. */
const wholeLog = async (served: Served, { size, root }: Checkpoint): Promise<Buffer[]> => {
  const row: Buffer[] = [];
  const edge = new Map<number, Buffer>();
  for (const tile of edgeTiles(size)) {
    const hashes = await fetched(served, tilePath(tile));
    assert.equal(hashes.length, tile.width * 32);
    edge.set(tile.level, hashes);
    row.push(...peaks(hashes));
  }
  assert.ok(foldPeaks(row).equals(root), 'the right edge gives the root');
  const leaves: Buffer[] = [];
  for (let level = 6; level >= 0; level--) {
    const full = Math.floor(levelCount(size, level) / tileWidth);
    for (let index = 0; index < full; index++) {
      const hashes = await fetched(served, tilePath({ level, index, width: tileWidth }));
      const parents =
        Math.floor(index / tileWidth) === Math.floor(levelCount(size, level + 1) / tileWidth)
          ? edge.get(level + 1)
          : await fetched(
              served,
              tilePath({ level: level + 1, index: Math.floor(index / tileWidth), width: tileWidth }),
            );
      assert.ok(treeRoot(hashes).equals(hashAt(parents ?? Buffer.alloc(0), index % tileWidth)));
      if (level === 0) for (let i = 0; i < tileWidth; i++) leaves.push(hashAt(hashes, i));
    }
  }
  const last = edge.get(0) ?? Buffer.alloc(0);
  for (let i = 0; i < last.length / 32; i++) leaves.push(hashAt(last, i));
  assert.equal(leaves.length, size);
  return leaves;
};

const hashesIn = (body: Buffer): Buffer[] =>
  body
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => Buffer.from(line, 'base64'));

test('a client finds the whole log by its tiles, and every two checkpoints are consistent', async (t) => {
  const served = await serve(t);
  await grow(served.made, 1, 1, 2, 3, 5, 60, 183, 1, 1, 255, 256, 3, 700, 1, 40);
  const newest = await checkpointOf(served);
  const leaves = await wholeLog(served, newest);

  const entries: Buffer[] = [];
  for (let index = 0; index * tileWidth < newest.size; index++) {
    const width = Math.min(tileWidth, newest.size - index * tileWidth);
    entries.push(...parseBundle(await fetched(served, tilePath({ level: 'entries', index, width })), width));
  }
  assert.ok(entries.every((entry, i) => leafHash(entry).equals(leaves[i] ?? entry)));

  const { body } = await served.get('/history/000');
  const { notes, rest } = parseHistory(body);
  assert.equal(rest, 0);
  const all = notes.map((note) => openCheckpoint(note, parseVkey(served.made.vkey)));
  assert.ok(all.length >= 16);
  const range = compactRange();
  for (const checkpoint of all) {
    while (range.size() < checkpoint.size) range.push(leaves[range.size()] ?? Buffer.alloc(0));
    assert.ok(range.root().equals(checkpoint.root));
  }
  for (const first of all) {
    for (const second of all.filter(({ size }) => size >= first.size)) {
      const proof = await served.get(`/proof/consistency?from=${first.size}&to=${second.size}`);
      assert.equal(proof.status, 200);
      const path = hashesIn(proof.body);
      if (first.size === 0 || first.size === second.size) assert.equal(proof.body.length, 0);
      assert.ok(
        verifyConsistency({
          size1: first.size,
          size2: second.size,
          root1: first.root,
          root2: second.root,
          path,
        }),
        `${first.size} → ${second.size}`,
      );
    }
  }
  for (const { size, root } of all.filter((one) => one.size > 0)) {
    for (const index of new Set([0, 1, 255, 256, Math.floor(size / 2), size - 1])) {
      const leaf = leaves[index];
      if (index >= size || leaf === undefined) continue;
      const proof = await served.get(`/proof/inclusion?entry=${index}&size=${size}`);
      const path = hashesIn(proof.body);
      assert.ok(verifyInclusion({ index, size, leaf, path, root }), `${index} in ${size}`);
    }
  }
});

test('an empty log has a checkpoint and no tile', async (t) => {
  const served = await serve(t);
  assert.equal((await checkpointOf(served)).size, 0);
  assert.equal((await served.get('/tile/0/000.p/1')).status, 404);
  assert.equal((await served.get('/tile/0/000')).status, 404);
  assert.deepEqual((await served.get('/proof/consistency?from=0&to=0')).body, Buffer.alloc(0));
  assert.equal((await served.get('/proof/inclusion?entry=0&size=0')).status, 400);
  assert.equal((await served.get('/amendments')).body.length, 0);
  assert.equal((await served.get('/checkpoint.witnessed')).status, 404);
  assert.equal((await served.get('/vkey')).body.toString(), `${served.made.vkey}\n`);
});

test('a partial tile that gave way to the full one is still served, made of it', async (t) => {
  const served = await serve(t);
  await grow(served.made, 100);
  const [tile, bundle] = [
    await fetched(served, 'tile/0/000.p/100'),
    await fetched(served, 'tile/entries/000.p/100'),
  ];
  await grow(served.made, 300);
  assert.ok(!existsSync(join(served.made.vault, 'tile/0/000.p')));
  assert.deepEqual(await fetched(served, 'tile/0/000.p/100'), tile);
  assert.deepEqual(await fetched(served, 'tile/entries/000.p/100'), bundle);
  // Not of a published checkpoint, and not kept: there never was one.
  assert.equal((await served.get('/tile/0/001.p/3')).status, 404);
});

test('what no published checkpoint covers is not served, though it lies there', async (t) => {
  const served = await serve(t);
  await grow(served.made, 300);
  const before = served.made.read('checkpoint');
  const { size } = parseCheckpoint(before);
  await grow(served.made, 400);
  // As between steps 4 and 5 of a commit.
  served.made.write('checkpoint', before);
  assert.equal((await checkpointOf(served)).size, size);
  for (const path of ['tile/0/001', 'tile/entries/001', `tile/0/001.p/${size - 256 + 1}`])
    assert.equal((await served.get(`/${path}`)).status, 404, path);
  assert.equal((await served.get(`/proof/consistency?from=1&to=${size + 1}`)).status, 404);
  const sizes = parseHistory((await served.get('/history/000')).body).notes.map(
    (note) => parseCheckpoint(note).size,
  );
  assert.equal(Math.max(...sizes), size);
  assert.equal((await served.get('/history/001')).status, 404);
});

test('a line’s bytes are nowhere in what is served, and no segment has a name', async (t) => {
  const served = await serve(t);
  served.made.receive(delivery('a secret that was logged\n'));
  await served.made.keep();
  const { size } = await checkpointOf(served);
  const segments = served.made.files().filter((path) => path.startsWith('segment/'));
  assert.ok(segments.length > 0);
  for (const path of served.made.files()) {
    const { status, body } = await served.get(`/${path}`);
    if (path.startsWith('segment/')) assert.equal(status, 404, path);
    else assert.equal(status, 200, path);
    assert.ok(!body.includes('secret'), path);
  }
  assert.ok(size > 0);
});

test('how long an answer may be kept', async (t) => {
  const served = await serve(t);
  await grow(served.made, 300);
  assert.match(String((await served.get('/tile/0/000')).headers['cache-control']), /immutable/);
  assert.match(String((await served.get('/tile/entries/000')).headers['cache-control']), /immutable/);
  const first = await served.get('/checkpoint');
  assert.equal(first.headers['cache-control'], 'no-cache');
  const etag = String(first.headers['etag']);
  const again = await served.get('/checkpoint', { headers: { 'if-none-match': etag } });
  assert.equal(again.status, 304);
  assert.equal(again.body.length, 0);
  await grow(served.made, 1);
  assert.equal((await served.get('/checkpoint', { headers: { 'if-none-match': etag } })).status, 200);
});

test('HEAD says what GET would, and nothing else but POST to the two places is answered', async (t) => {
  const served = await serve(t);
  await grow(served.made, 10);
  const [got, head] = [
    await served.get('/tile/0/000.p/10'),
    await served.get('/tile/0/000.p/10', { method: 'HEAD' }),
  ];
  assert.equal(head.status, 200);
  assert.equal(head.body.length, 0);
  assert.equal(head.headers['content-length'], String(got.body.length));
  assert.equal(head.headers['etag'], got.headers['etag']);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND']) {
    assert.equal((await served.get('/checkpoint', { method })).status, 405, method);
    assert.equal((await served.get('/segment/001.zst', { method })).status, 404, method);
  }
  for (const place of ['/cosignature', '/contradiction']) assert.equal((await served.get(place)).status, 405);
});

test('the checkpoint that witnesses cosigned is served where it is one of this log', async (t) => {
  const served = await serve(t);
  await grow(served.made, 10);
  const note = served.made.read('checkpoint');
  const cosigned = Buffer.concat([
    note,
    Buffer.from(`— w.example/1 ${Buffer.alloc(76, 7).toString('base64')}\n`),
  ]);
  served.made.write('checkpoint.witnessed', cosigned);
  assert.deepEqual((await served.get('/checkpoint.witnessed')).body, cosigned);
  const forged = Buffer.from(cosigned);
  forged[forged.indexOf('\n') + 1] = 0x39;
  served.made.write('checkpoint.witnessed', forged);
  const { status, body } = await served.get('/checkpoint.witnessed');
  assert.equal(status, 500);
  assert.ok(!body.toString().includes(served.made.root), 'no path of this host');
  assert.ok(served.logged.some((line) => line.includes('checkpoint.witnessed')));
});

test('a checkpoint that our key did not sign is not passed on', async (t) => {
  const served = await serve(t);
  await grow(served.made, 10);
  const other = Buffer.from(served.made.read('checkpoint'));
  other[other.indexOf('\n') + 1] = 0x39;
  served.made.write('checkpoint', other);
  for (const target of ['/checkpoint', '/tile/0/000.p/10', '/proof/consistency?from=1&to=11'])
    assert.equal((await served.get(target)).status, 500, target);
});

test('a damaged tile is refused in words, and a proof through it too', async (t) => {
  const served = await serve(t);
  await grow(served.made, 300);
  served.made.write('tile/0/000', served.made.read('tile/0/000').subarray(0, 8000));
  assert.equal((await served.get('/tile/0/000')).status, 500);
  assert.equal((await served.get('/proof/inclusion?entry=3&size=300')).status, 500);
  rmSync(join(served.made.vault, 'tile/0/000'));
  assert.equal((await served.get('/tile/0/000')).status, 404);
});

test('all of it holds while a keeper is at work', async (t) => {
  const served = await serve(t);
  const appender = await openTest(served.made);
  const keeper = { working: true };
  const keeping = (async () => {
    for (let i = 0; i < 60; i++) await appender.commit(beats(1 + ((i * 37) % 90)), appender.intake());
    keeper.working = false;
  })();
  let seen: Checkpoint | null = null;
  let looks = 0;
  for (; keeper.working || looks < 3; looks++) {
    const now = await checkpointOf(served);
    await wholeLog(served, now);
    if (seen !== null) {
      assert.ok(now.size >= seen.size);
      const { status, body } = await served.get(`/proof/consistency?from=${seen.size}&to=${now.size}`);
      assert.equal(status, 200);
      assert.ok(
        verifyConsistency({
          size1: seen.size,
          size2: now.size,
          root1: seen.root,
          root2: now.root,
          path: hashesIn(body),
        }),
      );
    }
    seen = now;
  }
  await keeping;
  appender.close();
  assert.equal((await checkpointOf(served)).size, appender.size());
});

test('the unix socket serves the same, is closed to others, and replaces one that a killed process left', async (t) => {
  const served = await serve(t, { tcp: null });
  await grow(served.made, 3);
  assert.equal(served.publisher.addresses['publish'], undefined);
  const { body } = await served.get('/checkpoint', { over: 'unix' });
  assert.deepEqual(body, served.made.read('checkpoint'));
  assert.equal(statSync(served.state.publishSocket).mode & 0o777, 0o660);
  const options = {
    state: served.state,
    tcp: null,
    witnesses: [],
    clock: served.made.clock,
    log: () => undefined,
  };
  await assert.rejects(startPublisher(options), { code: 'socket-in-use' });
  await served.publisher.stop();
  writeFileSync(served.state.publishSocket, 'not a socket');
  await assert.rejects(startPublisher(options), { code: 'socket-path' });
  assert.equal(readFileSync(served.state.publishSocket, 'utf8'), 'not a socket');
  rmSync(dirname(served.state.publishSocket), { recursive: true });
  await assert.rejects(startPublisher(options), { code: 'socket-path' });
  mkdirSync(dirname(served.state.publishSocket));
});
