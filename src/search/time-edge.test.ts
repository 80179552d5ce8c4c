import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '#base/clock';
import type { Index } from '#index';
import type { TestLine } from '../index/testing/grown-vault.ts';
import { matchingLines } from './matching-lines.ts';
import { prepareQuery } from './query/prepare.ts';
import { readQuery } from './query/read.ts';
import { search } from './search.ts';
import { serveVault, type ServedVault } from './testing/served-vault.ts';
import { endOf, nearEnd } from './time-edge.ts';

const clock = systemClock();

/** Four lines of each second, after one that is far from all others. */
const lines = (from: number): TestLine[] =>
  Array.from({ length: 200 }, (_, i) => ({
    raw: `<38>1 2026-05-12T0${i === 0 ? 1 : 2}:0${Math.floor(i / 240)}:${String(Math.floor((i / 4) % 60)).padStart(2, '0')}Z web1 sshd 7 - - ${i % 9 === 0 ? 'rarely' : 'often'} said ${from + i}`,
  }));

describe('the first lines from one end', () => {
  let served: ServedVault;
  let index: Index;

  before(async () => {
    served = await serveVault(lines(0), { wordsFrom: 1, limits: { rows: 1, bytes: Infinity } });
    ({ index } = served);
    // Until the indexer has seen that nothing more is waiting, merges are put off.
    const merged = (): Promise<boolean> =>
      index.engine.run('background', 'OPTIMIZE TABLE lines FINAL').then(
        () => true,
        () => false,
      );
    for (const end = performance.now() + 60_000; !(await merged()); await sleep(10))
      assert.ok(performance.now() < end, 'the parts are not merged');
    for (const end = performance.now() + 60_000; index.words()?.below !== 1; await sleep(10))
      assert.ok(performance.now() < end, 'the words are not listed');
    // Of the same times, and not among the words.
    await served.add(lines(200));
  });
  after(() => served.remove());

  for (const words of ['use', 'leave'] as const)
    it(`are those of all, where they are looked for in a part of the time alone; words: ${words}`, async () => {
      let narrowed = 0;
      for (const text of ['rarel', 'since:"2026-05-12 02:00:20"', 'until:"2026-05-12 01:30"']) {
        const prepared = await prepareQuery(index, await readQuery(index, text, clock), 'entry < 2');
        const { query } = prepared;
        const found = await matchingLines(index, prepared, 2, words);
        const all = await matchingLines(index, prepared, 2, 'leave');
        const watched: typeof found = {
          ...found,
          hits(from, most, time) {
            if (time !== undefined) narrowed += 1;
            return found.hits(from, most, time);
          },
        };
        const total = await all.count();
        for (const from of ['newest', 'oldest'] as const)
          for (const most of [1, 3, 5, total]) {
            const wanted = await all.hits(from, most);
            const first = await nearEnd(index, watched, query, from, most, 1);
            // What is near is the first of all, and may be fewer.
            assert.deepEqual(
              first.map(({ address }) => address),
              wanted.slice(0, first.length).map(({ address }) => address),
              `${text}: ${most} ${from} near the end`,
            );
            for (const count of [null, total]) {
              const near = await endOf(index, watched, query, from, most, count, 1);
              assert.deepEqual(
                near.map(({ address }) => address),
                wanted.map(({ address }) => address),
                `${text}: ${most} ${from} of ${count}`,
              );
            }
          }
      }
      assert.ok(narrowed > 8, `${narrowed} were looked for in a part of the time`);
    });

  it('are looked for in all of the time where there are few', async () => {
    const prepared = await prepareQuery(index, await readQuery(index, '', clock), 'entry < 2');
    const found = await matchingLines(index, prepared, 2, 'leave');
    const times: (string | undefined)[] = [];
    const watched: typeof found = {
      ...found,
      hits(from, most, time) {
        times.push(time);
        return found.hits(from, most, time);
      },
    };
    await endOf(index, watched, prepared.query, 'newest', 1, null);
    assert.deepEqual(times, [undefined]);
  });

  it('are looked for once more where the list of words was deleted meanwhile', async () => {
    const withWords = (holds: boolean): Index => ({
      ...index,
      words: () => ({ below: 1, containing: async () => ['nowhere'], holds: () => holds }),
    });
    const addresses = async (holds: boolean, total: 'count' | 'skip'): Promise<string[]> => {
      const asked = { query: 'rarel', limit: 100, from: 'oldest', total } as const;
      const { hits } = await search(withWords(holds), asked, clock);
      return hits.map(({ address }) => address);
    };
    for (const total of ['count', 'skip'] as const) {
      assert.equal((await addresses(true, total)).length, 23, 'what is in words is believed while it holds');
      assert.equal((await addresses(false, total)).length, 46);
    }
  });
});
