import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '#base/clock';
import { openIndex, utc, vaultSource, type Index } from '#index';
import { Framing } from '#vault/record';
import { growVault, type GrownVault, type TestLine } from '../index/testing/grown-vault.ts';
import { expire, redact } from '../index/testing/withdrawing.ts';
import { branches } from './browse/tree.ts';
import { countLines } from './counts/counts.ts';
import { fields } from './fields/fields.ts';
import { nobodyOutside } from './freshness.ts';
import { patterns } from './patterns/patterns.ts';
import { search } from './search.ts';

const clock = systemClock();

const syslog = (second: number, host: string, text: string, more: Partial<TestLine> = {}): TestLine => ({
  raw: `<38>1 2026-05-12T02:59:${String(second).padStart(2, '0')}Z ${host} sshd 7 - - ${text}`,
  ...more,
});
const numbered = (sequence: number, text: string): TestLine =>
  syslog(sequence, 'web1', text, { stream: 's', sequence, meta: '{"via":"journal","host":"web1"}' });
const body = (key: string): TestLine => ({
  framing: Framing.body,
  meta: JSON.stringify({ via: 'http', format: 'jsonl', type: '', encoding: 'identity', key }),
  raw: `{"msg":"user=alice in ${key}"}\n{"msg":"user=bob in ${key}"}\n`,
});

/** What depends on the moment at which it was asked. */
const timeless = (answered: unknown): unknown =>
  JSON.parse(
    JSON.stringify(answered, (name, value: unknown) => (name === 'elapsedMs' ? 0 : value)).replace(
      /match again (at|between) [^";]*/g,
      'match again',
    ),
  );

const queries = [
  '',
  'user=*',
  'host:web1 -numbered',
  'app:holdfast',
  'since:"2026-05-12 02:59:04"',
  'hunter2',
];

const answersOf = async (index: Index): Promise<unknown> => {
  const all: unknown[] = [];
  for (const query of queries) {
    all.push(
      await search(index, { query, limit: 100, from: 'newest' }, clock),
      await countLines(index, { query, by: ['host', 'user'], top: 20, bars: 0 }, clock, nobodyOutside),
      await patterns(index, { query, newSince: null, limit: 50 }, clock, nobodyOutside),
      await fields(index, { query, limit: 50, values: 5 }, clock, nobodyOutside),
    );
  }
  for (const path of ['', '2026-05-12', '2026-05-12/web1'])
    all.push(await branches(index, path, clock, nobodyOutside));
  return timeless(all);
};

/** From how many lines on words are listed. */
for (const wordsFrom of [Infinity, 1])
  describe(`with lines that were redacted and lines that expired, an index answers the same, ${wordsFrom === Infinity ? 'without' : 'with'} a list of words`, () => {
    let made: GrownVault;
    let index: Index;
    let wanted: unknown;

    const open = async (): Promise<void> => {
      index = await openIndex({
        path: join(made.root, 'index'),
        vault: vaultSource(made.vault, made.readKey),
        log: () => undefined,
        local: utc,
        pollMs: 5,
        wordsFrom,
      });
    };
    /** Files that have a text, of those in which words are listed. */
    const listsWith = (text: string): string[] => {
      const directory = join(made.root, 'index', 'words');
      return existsSync(directory)
        ? readdirSync(directory).filter((file) => readFileSync(join(directory, file)).includes(text))
        : [];
    };
    const wordsListed = async (): Promise<void> => {
      await index.engine.run('background', 'OPTIMIZE TABLE lines FINAL');
      for (const end = performance.now() + 60_000; index.words() === null; await sleep(10))
        assert.ok(performance.now() < end, 'the words are not listed');
    };
    const caughtUp = async (): Promise<void> => {
      for (const end = performance.now() + 60_000; ; await sleep(10)) {
        const { indexed, withdrawn } = index.state();
        if (indexed === made.appender.size() && withdrawn.length === 3) return;
        assert.ok(
          performance.now() < end,
          `${indexed} of ${made.appender.size()}, ${withdrawn.length} withdrawn`,
        );
      }
    };

    before(async () => {
      made = await growVault();
      const first = await made.grow(
        [syslog(1, 'old', 'gone by age'), numbered(1, 'numbered one')],
        [
          numbered(2, 'numbered two'),
          syslog(2, 'web2', 'user=alice password hunter2'),
          syslog(3, 'web2', 'user=bob'),
        ],
        [numbered(3, 'numbered three'), body('k1'), body('k2'), syslog(4, 'web1', 'user=carol')],
      );
      await open();
      if (wordsFrom !== Infinity) {
        for (
          const end = performance.now() + 60_000;
          index.state().indexed < made.appender.size();
          await sleep(5)
        )
          assert.ok(performance.now() < end, 'the index stands still');
        await wordsListed();
        assert.equal(listsWith('hunter2').length, 1);
      }
      await redact(made, first + 1, 2);
      await redact(made, first + 2, 2);
      await expire(made, first, first + 1);
      // A number that never came, and what was delivered again.
      await made.grow([numbered(5, 'numbered five'), body('k2'), numbered(3, 'numbered three')]);
      await caughtUp();
      assert.deepEqual(listsWith('hunter2'), []);
      if (wordsFrom !== Infinity) await wordsListed();
      wanted = await answersOf(index);
    });
    after(async () => {
      await index.stop();
      made.appender.close();
      made.remove();
    });

    it('which names what was taken away, and finds nothing of it', async () => {
      const { answer } = (await search(index, { query: '', limit: 100, from: 'newest' }, clock)).answer;
      assert.match(answer.completeness.detail, /2 lines expired under entry .*redacted under entry/);
      assert.equal(
        (await search(index, { query: 'hunter2', limit: 1, from: 'newest' }, clock)).hits.length,
        0,
      );
      assert.equal(
        (await search(index, { query: 'host:old', limit: 1, from: 'newest' }, clock)).hits.length,
        0,
      );
    });

    it('after it was killed between rows and what its progress says of them', async () => {
      await index.engine.run(
        'background',
        `INSERT INTO lines (entry, line, message) VALUES (${made.appender.size()}, 1, 'cut short')`,
      );
      await index.stop();
      await open();
      await caughtUp();
      assert.deepEqual(await answersOf(index), wanted);
    });

    it('after it was deleted', async () => {
      await index.stop();
      rmSync(join(made.root, 'index'), { recursive: true });
      await open();
      await caughtUp();
      if (wordsFrom !== Infinity) await wordsListed();
      assert.deepEqual(await answersOf(index), wanted);
    });

    it('after it was made again while it ran', async () => {
      await index.rebuild();
      await caughtUp();
      if (wordsFrom !== Infinity) await wordsListed();
      assert.deepEqual(await answersOf(index), wanted);
    });
  });
