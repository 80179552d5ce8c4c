import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { micros } from '#base/clock';
import { openEngine } from './engine/embedded.ts';
import { openIndex, type Index } from './indexer.ts';
import { utc } from './parse/timestamp.ts';
import { lines } from './schema.ts';
import { growVault, testTime, type GrownVault, type TestLine } from './testing/grown-vault.ts';
import { vaultSource } from './vault-source.ts';

const follow = (grown: GrownVault): Promise<Index> =>
  openIndex({
    path: join(grown.root, 'index'),
    vault: vaultSource(grown.vault, grown.readKey),
    log: () => undefined,
    local: utc,
    pollMs: 20,
    restoreMs: 100,
  });

const upTo = async (index: Index, entry: number): Promise<void> => {
  for (const limit = performance.now() + 60_000; index.state().indexed < entry;) {
    assert.ok(performance.now() < limit, `stuck: ${JSON.stringify(index.state())}`);
    await sleep(5);
  }
};

const count = async (index: Index, where = 'true'): Promise<number> =>
  Number((await index.engine.rows('background', `SELECT count() AS n FROM lines WHERE ${where}`))[0]?.['n']);

const restored = async (index: Index): Promise<void> => {
  for (const limit = performance.now() + 60_000; index.state().altered.length > 0; await sleep(5))
    assert.ok(performance.now() < limit, 'it stays altered');
};

/** All rows, in an order of their own, for comparing one index with another. */
const everything = (index: Index): Promise<Record<string, unknown>[]> =>
  index.engine.rows(
    'background',
    `SELECT ${lines.columns.map(([name]) => (['message', 'prefix', 'suffix', 'whole'].includes(name) ? `hex(${name}) AS ${name}` : name)).join(', ')} FROM lines ORDER BY entry, line, part`,
  );

const numbered = (sequence: number): TestLine => ({
  raw: `<13>May 12 03:00:00 h a: number ${sequence}`,
  stream: 'agent-1',
  sequence,
});

describe('the index', () => {
  let grown: GrownVault;
  let index: Index;

  before(async () => {
    grown = await growVault();
    await grown.grow(
      [
        { raw: '<34>1 2026-05-12T02:59:00Z web1 sshd 812 - - Failed password for alice' },
        { raw: Buffer.from([0x3c, 0x31, 0x33, 0x3e, 0x00, 0xff, 0xfe, 0x0a, 0x1b, 0x41]) },
        { raw: '<13>May 12 03:00:00 h a: tail \u00e4\u0000' },
        { raw: '{"kind":"fact","port":22}', meta: '{"via":"fact","host":"web1"}' },
        { raw: '<34>1 2031-01-01T00:00:00Z h a - - - from the future' },
        { raw: '' },
      ],
      [numbered(1), numbered(2), numbered(2), numbered(3)],
    );
    index = await follow(grown);
    await upTo(index, 2);
  });
  after(async () => {
    await index.stop();
    grown.remove();
  });

  it('has each line once, and no manifest', async () => {
    assert.equal(await count(index), 9);
    assert.equal(index.state().lines, 9);
    assert.equal(await count(index, 'line = 0'), 0);
    assert.equal(await count(index, "stream = 'agent-1'"), 3);
    assert.equal(index.state().redelivered, 1);
  });

  it('gives back the exact bytes of every line', async () => {
    const rows = await index.engine.rows(
      'background',
      'SELECT line, hex(raw) AS bytes FROM lines WHERE entry = 0 ORDER BY line',
    );
    assert.deepEqual(
      rows.map((row) => String(row['bytes']).toLowerCase()),
      [
        Buffer.from('<34>1 2026-05-12T02:59:00Z web1 sshd 812 - - Failed password for alice').toString('hex'),
        '3c31333e00fffe0a1b41',
        Buffer.from('<13>May 12 03:00:00 h a: tail \u00e4\u0000').toString('hex'),
        Buffer.from('{"kind":"fact","port":22}').toString('hex'),
        Buffer.from('<34>1 2031-01-01T00:00:00Z h a - - - from the future').toString('hex'),
        '',
      ],
    );
  });

  it('sorts by the claimed time only where it can be believed', async () => {
    const rows = await index.engine.rows(
      'background',
      'SELECT toUnixTimestamp64Micro(time) AS at, toUnixTimestamp64Micro(ifNull(claimed, received)) AS said FROM lines WHERE entry = 0 AND line IN (1, 5) ORDER BY line',
    );
    assert.deepEqual(
      rows.map((row) => [Number(row['at']), Number(row['said'])]),
      [
        [testTime - 60_000_000, testTime - 60_000_000],
        [testTime, Date.UTC(2031, 0, 1) * 1000],
      ],
    );
  });

  it('indexes promptly what is committed while it runs, and leaves out what is delivered again', async () => {
    const told = new Promise<{ from: number; to: number }>((resolve) => {
      index.onIndexed(resolve);
    });
    const entry = await grown.grow([numbered(3), numbered(4), { raw: 'fresh' }]);
    const started = performance.now();
    assert.deepEqual(await told, { from: entry, to: entry + 1 });
    assert.ok(performance.now() - started < 30_000, 'it waits for something else');
    assert.equal(await count(index, `entry = ${entry}`), 2);
    assert.equal(index.state().redelivered, 2);
  });

  it('resumes where it was, and undoes rows that no progress speaks of', async () => {
    const entry = await grown.grow([{ raw: 'one more' }]);
    await upTo(index, entry + 1);
    const wanted = await everything(index);
    await index.stop();

    const engine = await openEngine({ path: join(grown.root, 'index') });
    await engine.run(
      'background',
      `INSERT INTO lines (entry, line, message, received) SELECT ${entry + 1}, number, 'cut short', now() FROM numbers(5)`,
    );
    await engine.close();

    index = await follow(grown);
    assert.deepEqual(await everything(index), wanted);
    const next = await grown.grow([{ raw: 'after the cut' }]);
    await upTo(index, next + 1);
    assert.equal(await count(index), wanted.length + 1);
  });

  it('makes itself again when rows are missing, with the same answers', async () => {
    const wanted = await everything(index);
    await index.engine.run(
      'background',
      'ALTER TABLE lines DELETE WHERE line = 1 SETTINGS mutations_sync = 2',
    );
    await index.stop();
    index = await follow(grown);
    await upTo(index, grown.appender.size());
    assert.deepEqual(await everything(index), wanted);
  });

  it('says so when an insert fails, and goes on once it can, with nothing twice', async () => {
    const rows = await count(index);
    const incoming = join(grown.root, 'index', 'incoming');
    rmSync(incoming, { recursive: true });
    const entry = await grown.grow([{ raw: 'held up' }]);
    for (const limit = performance.now() + 60_000; index.state().trouble === null; await sleep(5)) {
      assert.ok(performance.now() < limit, 'no trouble was reported');
    }
    assert.equal(index.state().trouble?.with, 'index');
    mkdirSync(incoming);
    await upTo(index, entry + 1);
    assert.equal(await count(index), rows + 1);
    for (const limit = performance.now() + 60_000; index.state().trouble !== null; await sleep(5)) {
      assert.ok(performance.now() < limit, 'the trouble stays');
    }
  });

  it('gives the same answers after a rebuild', async () => {
    const wanted = await everything(index);
    const senders = [...index.senders.all()].length;
    await index.rebuild();
    await upTo(index, grown.appender.size());
    assert.deepEqual(await everything(index), wanted);
    assert.equal([...index.senders.all()].length, senders);
  });

  it('finds the same with the token index as without', async () => {
    const batch = Array.from({ length: 60_000 }, (_, i) => ({
      raw: `<13>May 12 03:00:00 h bulk: item${i} Value-${i % 7}${i % 500 === 0 ? ' \u00c4rger' : ''}`,
      received: micros(testTime + i),
    }));
    await upTo(index, (await grown.grow(batch)) + 1);
    await index.engine.run(
      'background',
      'ALTER TABLE lines MATERIALIZE INDEX message_tokens SETTINGS mutations_sync = 2',
    );
    for (const pattern of [
      '%item5999%',
      '%VALUE-3%',
      '%alue%',
      '%\u00e4rger%',
      '%tem1234 v%',
      '%nothing like it%',
    ]) {
      const where = `message ILIKE '${pattern}'`;
      const scanned = await count(index, `${where} SETTINGS use_skip_indexes = 0`);
      assert.equal(await count(index, where), scanned, pattern);
      assert.equal(scanned > 0, !pattern.includes('nothing'), pattern);
    }
  });

  it('does not index an entry that was altered, names it, and goes on', async () => {
    const rows = await count(index);
    await index.stop();
    const entry = await grown.grow([{ raw: 'to be altered' }], [{ raw: 'untouched' }]);
    const file = grown.segmentFile(entry);
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(file, bytes);
    index = await follow(grown);
    await upTo(index, entry + 2);
    assert.deepEqual(
      index.state().altered.map((altered) => altered.entry),
      [entry],
    );
    assert.equal(await count(index), rows + 1);
    assert.equal(await count(index, "message = 'untouched'"), 1);

    // Put back from a copy, it comes in, once, also when the process dies between its rows and their progress.
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await sleep(300);
    assert.equal(await count(index, `entry = ${entry}`), 0);
    writeFileSync(file, bytes);
    await restored(index);
    assert.equal(await count(index, "message = 'to be altered'"), 1);
    assert.equal(index.state().lines, rows + 2);
    assert.equal(await count(index), rows + 2);
    await index.stop();
    index = await follow(grown);
    await upTo(index, entry + 2);
    assert.deepEqual([index.state().altered.length, await count(index)], [0, rows + 2]);
  });

  it('undoes rows of an altered entry that no progress speaks of, and takes it in at the start', async () => {
    const rows = await count(index);
    await index.stop();
    const entry = await grown.grow([{ raw: 'altered again' }], [{ raw: 'behind it' }]);
    const file = grown.segmentFile(entry);
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(1));
    index = await follow(grown);
    await upTo(index, entry + 2);
    await index.stop();
    const engine = await openEngine({ path: join(grown.root, 'index') });
    await engine.run(
      'background',
      `INSERT INTO lines (entry, line, message) VALUES (${entry}, 1, 'cut short')`,
    );
    await engine.close();
    writeFileSync(file, whole);
    index = await follow(grown);
    await restored(index);
    assert.equal(await count(index), rows + 2);
    assert.equal(await count(index, "message = 'cut short'"), 0);
  });
});
