import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openIndex, type Index } from './indexer.ts';
import { utc } from './parse/timestamp.ts';
import { growVault, type GrownVault, type TestLine } from './testing/grown-vault.ts';
import { vaultSource } from './vault-source.ts';

const line = (sequence: number, text: string, more: Partial<TestLine> = {}): TestLine => ({
  raw: `<13>May 12 03:00:00 h a: ${text}`,
  stream: 'agent-\u00e4',
  sequence,
  ...more,
});

describe('lines under a number that another line has', () => {
  let grown: GrownVault;
  let index: Index;

  const follow = (): Promise<Index> =>
    openIndex({
      path: join(grown.root, 'index'),
      vault: vaultSource(grown.vault, grown.readKey),
      log: () => undefined,
      local: utc,
      pollMs: 20,
    });

  const take = async (...batches: TestLine[][]): Promise<void> => {
    await grown.grow(...batches);
    for (
      const limit = performance.now() + 60_000;
      index.state().indexed < grown.appender.size();
      await sleep(5)
    )
      assert.ok(performance.now() < limit, `stuck: ${JSON.stringify(index.state().trouble)}`);
  };

  const messages = async (where = 'true'): Promise<string[]> =>
    (
      await index.engine.rows('background', `SELECT message FROM lines WHERE ${where} ORDER BY entry, line`)
    ).map((row) => String(row['message']));

  before(async () => {
    grown = await growVault();
    index = await follow();
  });
  after(async () => {
    await index.stop();
    grown.remove();
  });

  it('are indexed and flagged; the same line again is left out, whoever brings it', async () => {
    await take([line(1, 'taken'), line(1, 'real one'), line(1, 'taken', { peer: '127.0.0.1:5' })]);
    assert.deepEqual(await messages(), ['taken', 'real one']);
    assert.deepEqual(await messages("fields['conflicting_number'] = '1'"), ['real one']);
    assert.deepEqual([index.state().redelivered, index.state().conflicts], [1, 1]);
  });

  it('are told from redelivery in later batches, and after a restart', async () => {
    await take([line(2, 'two')], [line(2, 'two'), line(2, 'not two')]);
    await index.stop();
    index = await follow();
    await take([line(1, 'real one'), line(2, 'two'), line(2, 'not two'), line(2, 'a third')]);
    assert.deepEqual(await messages(), ['taken', 'real one', 'two', 'not two', 'a third']);
    assert.deepEqual([index.state().redelivered, index.state().conflicts], [5, 3]);
  });

  it('are other lines if only their meta differs', async () => {
    await take([line(3, 'three', { meta: '{"via":"file","host":"h"}' }), line(3, 'three')]);
    assert.equal((await messages('sequence = 3')).length, 2);
  });

  it('are the same after a rebuild', async () => {
    const wanted = await messages();
    await index.rebuild();
    await take([line(4, 'four')]);
    assert.deepEqual(await messages('sequence < 4'), wanted);
  });
});
