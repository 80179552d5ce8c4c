import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../engine/engine.ts';
import { openEngine } from '../engine/embedded.ts';
import { createTables, lines, tokenIndex } from '../schema.ts';
import { openWordList, type WordList } from './words.ts';

describe('the list of words', () => {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-index-'));
  const directory = join(root, 'words');
  let engine: Engine;
  let time = 0;
  let said: string[] = [];
  let made = 0;

  const insert = (entry: number, month: number, message: string): Promise<void> =>
    engine.run(
      'background',
      `INSERT INTO lines (entry, line, received, message)
      SETTINGS exclude_materialize_skip_indexes_on_insert = '${tokenIndex}' VALUES (${entry}, 1, '2026-0${month}-01 00:00:00', '${message}')`,
    );
  const open = (): WordList =>
    openWordList(
      {
        rows: async (...call) => {
          made += 1;
          return engine.rows(...call);
        },
        binary: engine.binary,
      },
      root,
      (_severity, text) => said.push(text),
      1,
      () => time,
    );
  /** Tries once to make it. */
  const refresh = async (list: WordList, entry: number): Promise<void> => {
    const calls = made;
    list.refresh(entry, entry);
    const isDone = (): boolean => made > calls && ((list.current()?.below ?? 0) >= entry || said.length > 0);
    for (const end = performance.now() + 60_000; !isDone(); await sleep(10))
      assert.ok(performance.now() < end, 'nothing came of it');
  };

  before(async () => {
    engine = await openEngine({ path: join(root, 'engine') });
  });
  beforeEach(async () => {
    await engine.run('background', 'DROP TABLE IF EXISTS lines');
    await createTables(engine);
    [said, time, made] = [[], 0, 0];
  });
  after(async () => {
    await engine.close();
    rmSync(root, { recursive: true, force: true });
  });

  it('is deleted from the disk before rows are rewritten, and holds no more', async () => {
    await insert(0, 5, 'a secret');
    await engine.buildIndices(lines, [tokenIndex]);
    const list = open();
    await refresh(list, 1);
    const words = list.current();
    assert.deepEqual(await words?.containing('ecre', 'anywhere'), ['ecre', 'secret']);
    assert.equal(readdirSync(directory).length, 1);
    await list.forget();
    assert.deepEqual([words?.holds(), list.current(), readdirSync(directory)], [false, null, []]);
  });

  it('has words of digits, of an even and an odd number of them, and of letters beside them', async () => {
    await insert(0, 5, 'key 0abcd12, 0ABCD1, x0abcd1 and 00abcd12');
    await engine.buildIndices(lines, [tokenIndex]);
    const list = open();
    await refresh(list, 1);
    const words = await list.current()?.containing('abcd1', 'anywhere');
    assert.ok(Array.isArray(words));
    assert.deepEqual(words.toSorted(), ['00abcd12', '0abcd1', '0abcd12', 'abcd1', 'x0abcd1']);
    await list.forget();
  });

  it('has what came since in a list of its own, also of parts that were merged with older ones', async () => {
    for (const entry of [0, 7]) await insert(entry, 5, `a first${entry}`);
    await engine.buildIndices(lines, [tokenIndex]);
    const list = open();
    await refresh(list, 20);
    const lookedFor = async (text: string): Promise<unknown> => {
      const found = await list.current()?.containing(text, 'anywhere');
      return Array.isArray(found) ? found.toSorted() : found;
    };
    await insert(20, 5, 'a second20 and first0');
    await engine.buildIndices(lines, [tokenIndex]);
    await refresh(list, 21);
    assert.deepEqual(await lookedFor('second'), ['second', 'second20']);
    assert.deepEqual(await lookedFor('irst0'), ['first0', 'irst0']);
    assert.equal(readdirSync(directory).length, 2);
    await engine.run('background', 'OPTIMIZE TABLE lines FINAL');
    await insert(21, 6, 'a third21');
    await engine.buildIndices(lines, [tokenIndex]);
    time += 1;
    await refresh(list, 22);
    for (const word of ['first7', 'second20', 'third21'])
      assert.deepEqual(await lookedFor(word.slice(1)), [word.slice(1), word].toSorted());
    assert.equal(readdirSync(directory).length, 2);
    // Of many more lines one list is made, though those two have them all.
    time += 1;
    const calls = made;
    list.refresh(22, 100);
    for (const end = performance.now() + 60_000; readdirSync(directory).length > 1; await sleep(10))
      assert.ok(performance.now() < end, 'there are two lists still');
    assert.ok(made > calls);
    assert.deepEqual(await lookedFor('hird21'), ['hird21', 'third21']);
    const words = list.current();
    await list.forget();
    assert.deepEqual([words?.holds(), readdirSync(directory)], [false, []]);
  });

  it('leaves nothing of one that is in the making then', async () => {
    await insert(0, 5, 'a secret');
    await engine.buildIndices(lines, [tokenIndex]);
    const list = open();
    list.refresh(1, 1);
    await list.forget();
    assert.equal(list.current(), null);
    assert.deepEqual(readdirSync(directory), []);
  });

  it('has all lines, though a small part of a month that is over was never merged', async () => {
    await insert(0, 1, 'alone in its month');
    for (const entry of [1, 2]) await insert(entry, 2, 'one of two');
    await engine.run('background', "OPTIMIZE TABLE lines PARTITION ID '202602' FINAL");
    const list = open();
    await refresh(list, 3);
    assert.equal(list.current(), null);
    assert.deepEqual(said, [
      'words of entries from 0 on are looked up in the engine: it has yet to index some',
    ]);
    assert.equal(await engine.buildIndices(lines, [tokenIndex]), 1);
    said = [];
    time += 1;
    await refresh(list, 3);
    assert.equal(list.current()?.below, 3);
    await list.forget();
  });

  it('is not tried again for a minute after a failure, of which it says each once', async () => {
    await insert(0, 5, 'a secret');
    await engine.buildIndices(lines, [tokenIndex]);
    const list = open();
    rmSync(directory, { recursive: true, force: true });
    writeFileSync(directory, 'no directory');
    await refresh(list, 1);
    assert.match(said[0] ?? '', /as their list was not made: /);
    const calls = made;
    await list.forget();
    time += 59_000;
    list.refresh(1, 1);
    await list.forget();
    assert.equal(made, calls);
    time += 2000;
    list.refresh(1, 1);
    await list.forget();
    assert.ok(made > calls);
    assert.equal(said.length, 1);
    rmSync(directory);
    time += 61_000;
    said = [];
    await refresh(list, 1);
    assert.equal(list.current()?.below, 1);
    await list.forget();
  });
});
