import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { IndexError } from '../errors.ts';
import { LinesBlock } from '../project/native/block.ts';
import { createTables, dropTables, lateIndices, lines, progress, tables } from '../schema.ts';
import { progressRow } from '../testing/progress-row.ts';
import { openHttpFront, type HttpFront } from '../testing/http-front.ts';
import { openEngine } from './embedded.ts';
import type { Engine, Lane } from './engine.ts';
import { openServerEngine } from './server.ts';
import { parseServerPlace } from './server-place.ts';

/**
 * What every engine has to do, so that the product does not see which one it has. Against a real server or cluster:
 * HOLDFAST_CLICKHOUSE_URL=https://user@host:8443/holdfast_test?cluster=NAME, its password in HOLDFAST_CLICKHOUSE_PASSWORD.
 */
const contract = (name: string, skip: string | false, open: () => Promise<Opened>): void => {
  describe(`the engine: ${name}`, { skip }, () => {
    let opened: Opened;
    let engine: Engine;

    before(async () => {
      opened = await open();
      ({ engine } = opened);
      await createTables(engine);
    });
    after(async () => {
      await opened.remove();
    });

    const one = async (sql: string, lane: Lane = 'background'): Promise<unknown> =>
      Object.values((await engine.rows(lane, sql))[0] ?? {})[0];
    const count = async (where = 'true', lane: Lane = 'interactive'): Promise<number> =>
      Number(await one(`SELECT count() AS n FROM lines WHERE ${where}`, lane));

    it('makes its tables once, also when asked again', async () => {
      await createTables(engine);
      assert.equal(await count(), 0);
    });

    it('takes rows in with every byte as it was, and shows them to the next statement of any lane', async () => {
      await engine.insert(lines, rows(1, 3));
      for (const lane of ['interactive', 'background', 'readonly', 'ingest'] as const)
        assert.equal(await count('entry = 1', lane), 3);
      const bytes = await engine.binary(
        'interactive',
        'SELECT message FROM lines WHERE entry = 1 AND line = 2',
      );
      assert.deepEqual(bytes, Buffer.concat([Buffer.from([odd.length]), odd]));
    });

    it('binds parameters, and splices none into the text', async () => {
      const found = await engine.rows(
        'interactive',
        'SELECT {text:String} AS text, {names:Array(String)} AS names, count() AS n FROM lines WHERE entry = {entry:UInt64}',
        { text: "it's \\ {x:String}\n\t'", names: ["a'b", 'c\\'], entry: '1' },
      );
      assert.deepEqual(
        { ...found[0], n: Number(found[0]?.['n']) },
        { text: "it's \\ {x:String}\n\t'", names: ["a'b", 'c\\'], n: 3 },
      );
    });

    it('deletes rows so that none is found any more', async () => {
      await engine.insert(lines, rows(2, 4));
      assert.equal(await count('entry = 2'), 4);
      await engine.settle();
      await engine.deleteRows(lines, 'entry = 2 AND line > 1');
      assert.equal(await count('entry = 2'), 1);
      await engine.deletePartsNow(lines);
      await engine.deleteOldParts(tables);
      assert.equal(await count(), 4);
    });

    it('takes rows that are staged whatever becomes of their memory, and not those that are discarded', async () => {
      const found = await count();
      const pieces = rows(5, 3);
      const staged = await engine.stage(lines, pieces);
      const unwanted = await engine.stage(lines, rows(6, 3));
      for (const piece of pieces) piece.fill(0);
      await staged.insert();
      await unwanted.discard();
      assert.deepEqual([await count('entry = 5'), await count('entry = 6')], [3, 0]);
      await engine.deleteRows(lines, 'entry = 5');
      assert.equal(await count(), found);
    });

    it('keeps the newest progress', async () => {
      for (const revision of [1, 2, 3]) await engine.insert(progress, [progressRow(revision)]);
      assert.equal(Number(await one('SELECT entry FROM progress ORDER BY revision DESC LIMIT 1')), 30);
    });

    it('finds by the token index what a scan finds', async () => {
      await engine.buildIndices(lines, lateIndices);
      assert.equal(await count("message ILIKE '%LINE 1%'"), 2);
      assert.equal(await count("message ILIKE '%LINE 1%' SETTINGS use_skip_indexes = 0"), 2);
    });

    it('lets the read-only lane change nothing, neither rows nor settings', async () => {
      for (const sql of [
        'DROP TABLE lines',
        'SELECT 1 SETTINGS max_execution_time = 0, readonly = 0',
        `INSERT INTO lines (entry) VALUES (9)`,
      ])
        await assert.rejects(
          engine.run('readonly', sql),
          (error) => error instanceof IndexError && error.code === 'engine-statement',
          sql,
        );
      assert.equal(await count(), 4);
    });

    it('ends statements that run too long or ask for too much, and says so', async () => {
      await assert.rejects(
        engine.rows(
          'interactive',
          'SELECT count() AS n FROM numbers(1000000000000) WHERE sipHash64(number) = 1',
        ),
        (error) => error instanceof IndexError && error.code === 'engine-limit',
      );
      await assert.rejects(
        engine.rows('readonly', 'SELECT number FROM numbers(200000)'),
        (error) => error instanceof IndexError && error.code === 'engine-limit',
      );
    });

    it('says which error the engine had', async () => {
      await assert.rejects(
        engine.rows('interactive', 'SELECT nothing_like_it FROM lines'),
        (error) =>
          error instanceof IndexError && error.code === 'engine-statement' && error.engineCode === 47,
      );
    });

    it('makes a second set of tables beside the first, which takes its place', async () => {
      assert.equal(await engine.hasBeside(), false);
      const beside = await engine.beside();
      await createTables(beside);
      await beside.insert(lines, rows(7, 2));
      assert.equal(await count(), 4);
      const { here, beside: there } = await engine.comments();
      assert.equal(here.get('lines'), lines.comment);
      assert.equal(there.get('progress'), progress.comment);
      await engine.takeOver(tables);
      assert.equal(await count(), 2);
      assert.equal(await count('entry = 7'), 2);
      await engine.dropBeside();
      assert.equal(await engine.hasBeside(), false);
      assert.equal(await count(), 2);
    });

    it('deletes its tables with all that is in them', async () => {
      await dropTables(engine);
      await createTables(engine);
      assert.equal(await count(), 0);
    });

    it('refuses what comes after it was closed', async () => {
      await engine.close();
      await assert.rejects(
        engine.rows('interactive', 'SELECT 1'),
        (error) => error instanceof IndexError && error.code === 'engine-closed',
      );
    });
  });
};

type Opened = { engine: Engine; remove(): Promise<void> };

const odd = Buffer.from([0x6c, 0x00, 0xff, 0xfe, 0x0a, 0x41]);

const rows = (entry: number, count: number): Buffer[] => {
  const block = new LinesBlock();
  const { columns } = block;
  for (let line = 1; line <= count; line += 1) {
    columns.entry.int64(entry);
    columns.line.uint32(line);
    columns.part.uint32(0);
    columns.time.int64(1_778_554_800_000_000 + line);
    columns.claimed_apart.int64(null);
    columns.received.int64(1_778_554_800_000_000);
    columns.committed.int64(1_778_554_801_000_000);
    for (const name of ['host', 'app', 'source', 'listener', 'via', 'tls_name', 'stream'] as const)
      columns[name].string(name);
    columns.pid.uint32(null);
    columns.facility.uint8(1);
    columns.severity.uint8(5);
    const message = line === 2 ? odd : Buffer.from(`line ${line}`);
    columns.message.slice(message, 0, message.length);
    columns.fields.map([]);
    for (const column of [columns.prefix, columns.suffix, columns.whole]) column.string('');
    columns.implied.uint16(0);
    columns.flags.uint16(0);
    columns.parser_version.uint8(1);
    columns.confidence.uint8(100);
    columns.sequence.int64(0);
    columns.content.fixed('', 8);
    columns.dedup.fixed('', 16);
    columns.form.uint8(0);
  }
  return block.encoded(lines);
};

contract('embedded', false, async () => {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-engine-'));
  const engine = await openEngine({ path, interactiveSeconds: 1 });
  return {
    engine,
    async remove() {
      await engine.close();
      rmSync(path, { recursive: true, force: true });
    },
  };
});

/** This tests how statements, rows, parameters and errors go over HTTP, and nothing of a server or a cluster. */
contract('over HTTP, in front of the embedded one', false, async () => {
  const front: HttpFront = await openHttpFront({ password: 'p ss' });
  const engine = openServerEngine({
    url: front.url,
    user: 'default',
    database: 'holdfast',
    cluster: null,
    password: () => 'p ss',
    ca: null,
    vault: () => 'contract.example/holdfast',
    interactiveSeconds: 1,
    memory: 1024 ** 3,
  });
  return {
    engine,
    async remove() {
      await engine.close();
      await front.close();
    },
  };
});

const given = process.env['HOLDFAST_CLICKHOUSE_URL'];
contract(
  'a server or cluster of its own',
  given === undefined ? 'HOLDFAST_CLICKHOUSE_URL names none' : false,
  () => {
    const place = parseServerPlace(given ?? '');
    if (typeof place === 'string') throw new Error(`HOLDFAST_CLICKHOUSE_URL ${place}`);
    const engine = openServerEngine({
      ...place,
      password: () => process.env['HOLDFAST_CLICKHOUSE_PASSWORD'] ?? '',
      ca: null,
      vault: () => `contract-${randomUUID()}`,
      interactiveSeconds: 1,
    });
    return Promise.resolve({
      engine,
      async remove() {
        await engine.close();
      },
    });
  },
);
