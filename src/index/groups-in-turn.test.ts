import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
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

  type Told = {
    /** Before an insert, by its number. */
    insert?: (insert: number) => Promise<void>;
    /** While a group is staged, by its number; its memory must be the same afterwards. */
    stage?: (staged: number) => Promise<void>;
    isInterrupted?: () => boolean;
  };

  /** Groups of one entry each, into nothing. */
  const intoNothing = (told: Told) => {
    const seen = { staged: 0, discarded: 0, inserted: [] as number[], redelivered: 0, altered: 0 };
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
      isInterrupted: told.isInterrupted ?? (() => false),
      async stage({ bytes }) {
        seen.staged += 1;
        const sum = sumOf(bytes);
        await told.stage?.(seen.staged - 1);
        if (sumOf(bytes) !== sum) seen.altered += 1;
        return {
          insert: () => Promise.resolve(),
          discard() {
            seen.discarded += 1;
            return Promise.resolve();
          },
        } satisfies StagedRows;
      },
      async insert(finished: Finished) {
        await told.insert?.(seen.inserted.length);
        const group = finished.after(done);
        done = group.after;
        seen.inserted.push(group.from);
        seen.redelivered = done.redelivered;
      },
    };
    return { seen, options };
  };

  it('are inserted in their order, and no more than three are on the way', async () => {
    const { promise, resolve: goOn } = Promise.withResolvers<void>();
    const { seen, options } = intoNothing({ insert: async (insert) => (insert === 0 ? promise : undefined) });
    const all = groupsInTurn(options);
    for (const end = performance.now() + 30_000; seen.staged < 3 && performance.now() < end;) await sleep(5);
    await sleep(100);
    const held = [seen.staged, seen.inserted.length];
    goOn();
    await all;
    assert.deepEqual(held, [3, 0]);
    assert.deepEqual(seen.inserted, [0, 1, 2, 3, 4, 5]);
    assert.equal(seen.discarded, 0);
  });

  it('keep their memory until their rows are out of it', async () => {
    const { seen, options } = intoNothing({ stage: () => sleep(50) });
    await groupsInTurn(options);
    assert.deepEqual([seen.altered, seen.inserted.length], [0, 6]);
  });

  it('know the lines of those that are not in the index yet', async () => {
    const { seen, options } = intoNothing({ insert: () => sleep(50) });
    await groupsInTurn(options);
    assert.equal(seen.redelivered, 1);
  });

  it('go no further than one that fails, and leave nothing staged', async () => {
    const { seen, options } = intoNothing({
      async insert(insert) {
        await sleep(50);
        if (insert === 1) throw new Error('the disk is full');
      },
    });
    await assert.rejects(groupsInTurn(options), /the disk is full/);
    assert.deepEqual(seen.inserted, [0]);
    // What failed cleans up after itself.
    assert.equal(seen.discarded, seen.staged - 2);
  });

  it('are over when it is told that one could not be staged, and those before it are in', async () => {
    const { promise, resolve: goOn } = Promise.withResolvers<void>();
    const { seen, options } = intoNothing({
      insert: () => promise,
      stage: (staged) => (staged === 1 ? Promise.reject(new Error('the disk is full')) : Promise.resolve()),
    });
    let isOver = false;
    const all = groupsInTurn(options).finally(() => (isOver = true));
    all.catch(() => undefined);
    await sleep(200);
    assert.equal(isOver, false);
    goOn();
    await assert.rejects(all, /the disk is full/);
    assert.deepEqual(seen.inserted, [0]);
  });

  it('that were read are inserted still, though no more are wanted', async () => {
    let isInterrupted = false;
    const { seen, options } = intoNothing({
      async insert() {
        isInterrupted = true;
        await sleep(50);
      },
      isInterrupted: () => isInterrupted,
    });
    await groupsInTurn(options);
    assert.ok(seen.inserted.length < 6, String(seen.inserted));
    assert.deepEqual([seen.inserted.length, seen.discarded], [seen.staged, 0]);
  });
});

const sumOf = (bytes: readonly Uint8Array[]): string => {
  const hash = createHash('sha256');
  for (const piece of bytes) hash.update(piece);
  return hash.digest('hex');
};
