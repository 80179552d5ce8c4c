import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '#base/clock';
import { openIndex, utc, vaultSource, type Index } from '#index';
import { growVault, type GrownVault } from '../index/testing/grown-vault.ts';
import { openHttpFront } from '../index/testing/http-front.ts';
import { countLines } from './counts/counts.ts';
import { nobodyOutside } from './freshness.ts';
import { search } from './search.ts';

it('searches all vaults whose indexes are on the same servers, each as far as its own indexer has got', async () => {
  const front = await openHttpFront({ password: 'p' });
  const grown: GrownVault[] = [];
  const indexes: Index[] = [];
  try {
    for (const [at, origin] of ['one.example/log', 'two.example/log'].entries()) {
      const vault = await growVault(origin);
      grown.push(vault);
      const line = (second: number, text: string): { raw: string } => ({
        raw: `<34>1 2026-05-12T02:59:0${second}Z web${at} sshd 812 - - Failed password ${text}`,
      });
      await vault.grow([line(1 + at, 'a'), line(3 + at, 'b')]);
      const index = await openIndex({
        path: join(vault.root, 'index'),
        vault: vaultSource(vault.vault, vault.readKey),
        log: () => undefined,
        local: utc,
        pollMs: 20,
        server: {
          url: front.url,
          user: 'default',
          database: 'holdfast',
          cluster: null,
          password: () => 'p',
          ca: null,
          memory: 1024 ** 3,
        },
      });
      indexes.push(index);
      for (const limit = performance.now() + 60_000; index.state().indexed < 1; await sleep(5))
        assert.ok(performance.now() < limit, JSON.stringify(index.state()));
    }
    const [first, second] = indexes;
    assert.ok(first !== undefined && second !== undefined);
    // Rows that the other vault's progress does not speak of are not there yet.
    await second.engine.run(
      'background',
      `INSERT INTO lines (entry, line, message) VALUES (9, 1, 'Failed password not there yet')`,
    );
    const clock = systemClock();
    const ask = { query: 'host:web* "failed password"', limit: 3, from: 'newest' } as const;
    const own = await search(first, ask, clock);
    assert.deepEqual(
      own.hits.map(({ address }) => address),
      ['0:1', '0:2'],
    );
    const all = await search(first, { ...ask, vaults: 'all' }, clock);
    assert.deepEqual(
      all.hits.map(({ address, host }) => [address, host]),
      [
        ['two.example/log/0:1', 'web1'],
        ['0:2', 'web0'],
        ['two.example/log/0:2', 'web1'],
      ],
    );
    assert.equal(all.answer.answer.count, 4);
    assert.equal(all.answer.answer.integrity.verdict, 'unknown');
    assert.equal('covered' in own.answer.answer.range, true);
    assert.equal('covered' in all.answer.answer.range, false);
    assert.match(all.answer.answer.integrity.detail, /two\.example\/log \(1 entries\)/);
    const oldest = await search(first, { ...ask, from: 'oldest', limit: 1, vaults: 'all' }, clock);
    assert.deepEqual(
      oldest.hits.map(({ address }) => address),
      ['0:1'],
    );
    assert.equal((await search(first, { ...ask, limit: 0, vaults: 'all' }, clock)).hits.length, 0);
    const asked = { query: ask.query, by: ['host'], top: 1, bars: 10 };
    const counted = await countLines(first, { ...asked, vaults: 'all' }, clock, nobodyOutside);
    const { groups, others, histogram } = counted.counts.counts;
    assert.deepEqual([groups, others], [[{ values: ['web0'], count: 2 }], { groups: 1, count: 2 }]);
    assert.equal(
      histogram?.bars.reduce((sum, bar) => sum + bar.count, 0),
      4,
    );
    const { integrity, completeness, count } = counted.answer.answer;
    assert.deepEqual([integrity.verdict, completeness.verdict, count], ['unknown', 'unknown', 4]);
    const mine = await countLines(first, asked, clock, nobodyOutside);
    assert.equal(mine.answer.answer.count, 2);
  } finally {
    for (const index of indexes) await index.stop();
    await front.close();
    for (const vault of grown) vault.remove();
  }
});
