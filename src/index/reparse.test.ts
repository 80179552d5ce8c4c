import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { micros } from '#base/clock';
import { openEngine } from './engine/embedded.ts';
import { openIndex, type Index } from './indexer.ts';
import { utc } from './parse/timestamp.ts';
import { parserVersion } from './project/row.ts';
import { lines, progress } from './schema.ts';
import { growVault, testTime, type GrownVault, type TestLine } from './testing/grown-vault.ts';
import { asAnOlderParserLeftItAt, digestOf } from './testing/older-parser.ts';
import { vaultSource } from './vault-source.ts';

describe('parsing history again', () => {
  let grown: GrownVault;
  let index: Index;
  let said: string[] = [];

  const open = (): Promise<Index> =>
    openIndex({
      path: join(grown.root, 'index'),
      vault: vaultSource(grown.vault, grown.readKey),
      log: (_severity, message) => {
        said.push(message);
      },
      local: utc,
      pollMs: 20,
    });

  const reach = async (what: string, isSo: () => boolean): Promise<void> => {
    for (const limit = performance.now() + 300_000; !isSo(); await sleep(2))
      assert.ok(performance.now() < limit, `${what}: ${said.join(' | ')}`);
  };
  const whole = (): Promise<void> =>
    reach('all is indexed', () => index.state().indexed === grown.appender.size());
  const readAgain = (): Promise<void> => reach('all is read again', () => index.state().reparsing === null);

  const lineCount = async (where = 'true'): Promise<number> =>
    Number(
      (await index.engine.rows('interactive', `SELECT count() AS n FROM lines WHERE ${where}`))[0]?.['n'],
    );

  /** More than one group of them is read again at a time. */
  const many = (text: string): TestLine[] =>
    Array.from({ length: 33_000 }, (_, i) => ({
      raw: `<34>1 2026-05-12T02:59:00Z web${i % 7} sshd ${i} - - ${text} user=alice`,
      received: micros(testTime + i),
    }));

  before(async () => {
    grown = await growVault();
    await grown.grow(
      [{ raw: '<189>123: *Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: x' }, { raw: '<13>app[3]: user=alice' }],
      [1, 2, 2, 3].map((sequence) => ({ raw: `<13>h a: numbered ${sequence}`, stream: 's', sequence })),
      many('first'),
      many('second'),
      many('third'),
    );
    index = await open();
    await whole();
  });
  after(async () => {
    await index.stop();
    grown.remove();
  });

  it('goes on answering from what an older parser read, also over a restart, until all is as a new index has it', async () => {
    const wanted = await digestOf(index.engine);
    const rows = await lineCount();
    await index.stop();
    await asAnOlderParserLeftItAt(join(grown.root, 'index'));

    index = await open();
    await reach('some is read again', () => (index.state().reparsing?.entry ?? 0) > 2);
    assert.deepEqual(index.state().reparsing, { ...index.state().reparsing, from: 1, to: parserVersion });
    assert.equal(await lineCount(), rows);
    assert.equal(await lineCount("host = 'oldname'"), rows);
    await index.stop();

    said = [];
    index = await open();
    assert.equal(await lineCount("host = 'oldname'"), rows);
    const entry = await grown.grow([{ raw: '<34>1 2026-05-12T02:59:00Z late sshd 1 - - came meanwhile' }]);
    await reach('the new line is found', () => index.state().indexed > entry);
    assert.equal(await lineCount("message = 'came meanwhile' AND host = 'late'"), 1);
    await readAgain();
    assert.ok(
      said.some((message) => / read again by parser \d+, from entry [3-9]/.test(message)),
      said.join('\n'),
    );
    assert.equal(await lineCount("host = 'oldname'"), 0);
    assert.equal(await digestOf(index.engine, `entry != ${entry}`), wanted);
    assert.equal(index.state().lines, rows + 1);
    assert.equal(index.state().redelivered, 1);
    assert.deepEqual(
      [...index.senders.all()].map(({ host }) => host).filter((host) => host === 'oldname'),
      [],
    );
    assert.equal(index.senders.lines(), rows + 1);

    await index.stop();
    index = await open();
    assert.equal(index.state().reparsing, null);
    assert.equal(await index.engine.hasBeside(), false);
    assert.equal(await lineCount(), rows + 1);
  });

  it('completes the change from one set of tables to the other where it was cut short', async () => {
    await whole();
    const wanted = await digestOf(index.engine);
    await index.stop();
    const engine = await openEngine({ path: join(grown.root, 'index') });
    await engine.beside();
    for (const table of [lines.name, progress.name]) {
      await engine.run(
        'background',
        `CREATE TABLE beside.${table} AS default.${table} COMMENT 'parser ${parserVersion}'`,
      );
      await engine.run('background', `INSERT INTO beside.${table} SELECT * FROM ${table}`);
      await engine.run('background', `ALTER TABLE ${table} MODIFY COMMENT 'parser 1'`);
    }
    await engine.close();
    await asAnOlderParserLeftItAt(join(grown.root, 'index'));
    const again = await openEngine({ path: join(grown.root, 'index') });
    await again.beside();
    await again.takeOver([lines]);
    await again.close();

    said = [];
    index = await open();
    await whole();
    assert.equal(await digestOf(index.engine), wanted);
    assert.equal(index.state().reparsing, null);
    assert.match(said.join('\n'), /completing what was cut short/);
    assert.match(said.join('\n'), /index resumed/);
  });

  it('completes the change in the same process where only some of the tables could be exchanged', async () => {
    const wanted = await digestOf(index.engine);
    await index.stop();
    await asAnOlderParserLeftItAt(join(grown.root, 'index'));
    const older = await openEngine({ path: join(grown.root, 'index') });
    for (const { name } of [lines, progress])
      await older.run('background', `ALTER TABLE ${name} MODIFY COMMENT 'parser 1'`);
    await older.close();
    index = await open();
    const { engine } = index;
    const takeOver = engine.takeOver.bind(engine);
    let failures = 0;
    engine.takeOver = async (tables) => {
      if (failures > 0) return takeOver(tables);
      failures += 1;
      await takeOver(tables.slice(0, 1));
      throw new Error('the second table could not be exchanged');
    };
    await readAgain();
    assert.equal(failures, 1);
    assert.equal(await digestOf(engine), wanted);
    const entry = await grown.grow([{ raw: '<34>1 2026-05-12T02:59:00Z late sshd 1 - - came afterwards' }]);
    await reach('the new line is found', () => index.state().indexed > entry);
    assert.equal(await lineCount("message = 'came afterwards'"), 1);
  });

  it('parses all again on a rebuild', async () => {
    const wanted = await digestOf(index.engine);
    await index.stop();
    await asAnOlderParserLeftItAt(join(grown.root, 'index'));
    index = await open();
    await reach('some is read again', () => (index.state().reparsing?.entry ?? 0) > 2);
    await index.rebuild();
    assert.equal(index.state().reparsing, null);
    await whole();
    assert.equal(await digestOf(index.engine), wanted);
  });
});
