import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Contents } from './contents.ts';
import type { StagedRows } from './engine/engine.ts';
import type { Finished } from './group.ts';
import { groupsInTurn, type TurnOptions } from './groups-in-turn.ts';
import { utc } from './parse/timestamp.ts';
import { nothingIndexed, type Progress } from './progress.ts';
import { LinesBlock } from './project/native/block.ts';
import { growVault, type GrownVault } from './testing/grown-vault.ts';
import { vaultSource } from './vault-source.ts';

describe('groups of entries in turn', () => {
  let grown: GrownVault;
  let size = 0;

  before(async () => {
    grown = await growVault();
    const line = (sequence: number) => [{ raw: `<13>h a: ${sequence}`, stream: 'agent', sequence }];
    // The first entry and the third have the same line.
    await grown.grow(...[1, 2, 1, 3, 4, 5].map(line));
    size = grown.appender.size();
  });
  after(() => grown.remove());

  /** Into nothing, which waits with each insert until `mayInsert`. */
  const intoNothing = (mayInsert: (insert: number) => Promise<void>) => {
    const seen = { staged: 0, discarded: 0, inserted: [] as number[], redelivered: 0 };
    let done: Progress = nothingIndexed;
    const options: TurnOptions = {
      from: done,
      size,
      groups: Infinity,
      limits: { rows: 1, bytes: 1 },
      blocks: [new LinesBlock(), new LinesBlock()],
      groupOptions: {
        vault: vaultSource(grown.vault, grown.readKey),
        local: utc,
        contentsOf: () => Promise.resolve(new Contents()),
      },
      threadFor: () => null,
      isInterrupted: () => false,
      stage() {
        seen.staged += 1;
        const staged: StagedRows = {
          insert: () => Promise.resolve(),
          discard() {
            seen.discarded += 1;
            return Promise.resolve();
          },
        };
        return Promise.resolve(staged);
      },
      async insert(finished: Finished) {
        await mayInsert(seen.inserted.length);
        const group = finished.after(done);
        done = group.after;
        seen.inserted.push(group.from);
        seen.redelivered = done.redelivered;
      },
    };
    return { seen, options };
  };

  it('are inserted in their order, and no more than three are on the way', async () => {
    const { promise, resolve: letGo } = Promise.withResolvers<void>();
    const { seen, options } = intoNothing((insert) => (insert === 0 ? promise : Promise.resolve()));
    const all = groupsInTurn(options);
    for (const end = performance.now() + 30_000; seen.staged < 3 && performance.now() < end;) await sleep(5);
    await sleep(100);
    const held = [seen.staged, seen.inserted.length];
    letGo();
    await all;
    assert.deepEqual(held, [3, 0]);
    assert.equal(seen.staged, seen.inserted.length);
    assert.deepEqual(
      seen.inserted,
      seen.inserted.toSorted((a, b) => a - b),
    );
    assert.ok(seen.inserted.length >= 6, String(seen.inserted));
    assert.equal(seen.discarded, 0);
  });

  it('know the lines of those that are not in the index yet', async () => {
    const { seen, options } = intoNothing(() => sleep(50));
    await groupsInTurn(options);
    assert.equal(seen.redelivered, 1);
  });

  it('go no further than one that fails, and leave nothing staged', async () => {
    const { seen, options } = intoNothing(async (insert) => {
      await sleep(50);
      if (insert === 1) throw new Error('the disk is full');
    });
    await assert.rejects(groupsInTurn(options), /the disk is full/);
    assert.equal(seen.inserted.length, 1);
    // What failed cleans up after itself.
    assert.equal(seen.discarded, seen.staged - 2);
  });
});
