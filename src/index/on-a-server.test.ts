import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { IndexError } from './errors.ts';
import {
  createDatabase,
  createTable,
  databaseOf,
  deleteRows,
  dropDatabase,
  dropTable,
  endInserts,
  exchangeTables,
} from './engine/server-sql.ts';
import { parseServerPlace } from './engine/server-place.ts';
import { openIndex, type Index } from './indexer.ts';
import { utc } from './parse/timestamp.ts';
import { lines, tables } from './schema.ts';
import { growVault, type GrownVault } from './testing/grown-vault.ts';
import { openHttpFront, type HttpFront } from './testing/http-front.ts';
import { asAnOlderParserLeftIt, digestOf } from './testing/older-parser.ts';
import { vaultSource } from './vault-source.ts';

const password = 'not in any URL';

/** The front is the embedded engine behind HTTP, and no server: what is tested is how the index lives with one. */
describe('an index on a server', () => {
  let front: HttpFront;
  const vaults: GrownVault[] = [];
  const open: Index[] = [];
  const said: string[] = [];

  const follow = async (grown: GrownVault): Promise<Index> => {
    const index = await openIndex({
      path: join(grown.root, 'index'),
      vault: vaultSource(grown.vault, grown.readKey),
      log: (_severity, message) => {
        said.push(message);
      },
      local: utc,
      pollMs: 20,
      server: {
        url: front.url,
        user: 'default',
        database: 'holdfast',
        cluster: null,
        password: () => password,
        ca: null,
        memory: 1024 ** 3,
      },
    });
    open.push(index);
    return index;
  };

  const reach = async (what: string, isSo: () => boolean): Promise<void> => {
    for (const limit = performance.now() + 60_000; !isSo(); await sleep(5))
      assert.ok(performance.now() < limit, `${what}: ${said.join(' | ')}`);
  };
  const whole = (index: Index, grown: GrownVault): Promise<void> =>
    reach('all is indexed', () => index.state().indexed === grown.appender.size());
  const count = async (index: Index, where = 'true'): Promise<number> =>
    Number(
      (await index.engine.rows('interactive', `SELECT count() AS n FROM lines WHERE ${where}`))[0]?.['n'],
    );

  before(async () => {
    front = await openHttpFront({ password });
    for (const origin of ['one.example/log', 'two.example/log']) {
      const grown = await growVault(origin);
      vaults.push(grown);
      await grown.grow(
        [{ raw: `<34>1 2026-05-12T02:59:00Z web1 sshd 812 - - Failed password for ${origin}` }],
        [1, 2, 2].map((sequence) => ({ raw: `<13>h a: numbered ${sequence}`, stream: 's', sequence })),
      );
    }
  });
  after(async () => {
    for (const index of open) await index.stop();
    await front.close();
    for (const grown of vaults) grown.remove();
  });

  it('is made there, one for each vault, each row once and with the name of its vault', async () => {
    for (const grown of vaults) await whole(await follow(grown), grown);
    for (const [at, index] of open.entries()) {
      assert.equal(await count(index), 3);
      assert.deepEqual(await index.engine.rows('interactive', 'SELECT DISTINCT vault FROM lines'), [
        { vault: ['one.example/log', 'two.example/log'][at] },
      ]);
    }
    assert.ok(front.asked.length > 10);
    assert.ok(!front.asked.some((url) => /not(?:\+|%20)in/.test(url)), 'the password stands in a URL');
  });

  it('takes in once what was sent again because its answer was lost', async () => {
    const [grown, index] = [vaults[0], open[0]];
    assert.ok(grown !== undefined && index !== undefined);
    front.loseNextAnswer();
    await grown.grow([{ raw: '<13>May 12 03:00:00 h a: answered late' }]);
    await whole(index, grown);
    assert.equal(await count(index, "message = 'answered late'"), 1);
    assert.equal(await count(index), index.state().lines);
  });

  it('stands still while the server is away, says so, and catches up by itself', async () => {
    const [grown, index] = [vaults[0], open[0]];
    assert.ok(grown !== undefined && index !== undefined);
    front.setAway('away');
    await grown.grow([{ raw: '<13>May 12 03:00:00 h a: came meanwhile' }]);
    await reach('the trouble is told', () => index.state().trouble !== null);
    assert.equal(index.state().trouble?.with, 'index');
    assert.match(index.state().trouble?.message ?? '', /cannot be asked/);
    assert.ok(
      said.some((message) => message.startsWith('indexing stands still: the index at http://127.0.0.1:')),
    );
    await assert.rejects(
      count(index),
      (error) => error instanceof IndexError && error.code === 'engine-away',
    );
    front.setAway('back');
    await whole(index, grown);
    assert.equal(await count(index, "message = 'came meanwhile'"), 1);
    await reach('the trouble is over', () => index.state().trouble === null);
  });

  it('opens where the server is away, and resumes when it is there', async () => {
    const [grown, index] = [vaults[1], open[1]];
    assert.ok(grown !== undefined && index !== undefined);
    await index.stop();
    front.setAway('away');
    const again = await follow(grown);
    await reach('the trouble is told', () => again.state().trouble !== null);
    said.length = 0;
    front.setAway('back');
    await whole(again, grown);
    assert.match(said.join('\n'), /index resumed: 3 lines/);
    assert.equal(again.state().redelivered, 1);
  });

  it('reads history again beside, and leaves the other vault’s index as it is', async () => {
    const [grown, index, other] = [vaults[1], open.at(-1), open[0]];
    assert.ok(grown !== undefined && index !== undefined && other !== undefined);
    const [wanted, others] = [await digestOf(index.engine), await digestOf(other.engine)];
    await asAnOlderParserLeftIt(index.engine);
    assert.notEqual(await digestOf(index.engine), wanted);
    await index.stop();
    const again = await follow(grown);
    await whole(again, grown);
    await reach('all is read again', () => again.state().reparsing === null);
    assert.equal(await digestOf(again.engine), wanted);
    assert.equal(await digestOf(other.engine), others);
    await again.rebuild();
    await whole(again, grown);
    assert.equal(await digestOf(again.engine), wanted);
  });

  it('has statements for a cluster that the engine can read, though none here can execute them', async () => {
    const place = parseServerPlace('https://writer@ch.example:8443/logs?cluster=main');
    assert.ok(typeof place !== 'string');
    const database = databaseOf(place, "o'origin.example/log");
    const statements = [
      createDatabase(database),
      ...tables.flatMap((table) => createTable(database, table)),
      ...tables.flatMap((table) => dropTable(database, table)),
      deleteRows(database, lines, 'entry >= 5 OR (entry = 3 AND line = 1)'),
      exchangeTables(database, lines),
      endInserts(database, 'holdfast-'),
      dropDatabase(database),
    ];
    const engine = open[0]?.engine;
    assert.ok(engine !== undefined);
    for (const statement of statements) {
      const [read] = await engine.rows('interactive', 'SELECT formatQuery({statement:String}) AS text', {
        statement,
      });
      assert.match(String(read?.['text']), /ON CLUSTER main\b/, statement);
    }
    const [stored, spread] = createTable(database, lines);
    assert.match(stored ?? '', /ReplicatedMergeTree\(\)[\s\S]*vault|vault[\s\S]*ReplicatedMergeTree\(\)/);
    assert.match(spread ?? '', /Distributed\('main', logs_[0-9a-f]{16}, lines_local, cityHash64\(entry\)\)/);
  });

  it('refuses a URL with a password, without repeating it', () => {
    const refusal = parseServerPlace('https://u:hunter2@ch.example:8443');
    assert.ok(
      typeof refusal === 'string' &&
        refusal.includes('--index-password-file') &&
        !refusal.includes('hunter2'),
    );
    for (const wrong of [
      'ch.example:8443',
      'ftp://ch',
      'https://ch/a-b',
      'https://ch/?x=1',
      'https://ch/?cluster=a;b',
    ])
      assert.equal(typeof parseServerPlace(wrong), 'string', wrong);
  });
});
