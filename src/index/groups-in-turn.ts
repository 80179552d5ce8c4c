import type { Contents } from './contents.ts';
import type { StagedRows } from './engine/engine.ts';
import { collectGroup, type Collected, type Finished, type GroupLimits, type GroupOptions } from './group.ts';
import type { Progress } from './progress.ts';
import type { LinesBlock } from './project/native/block.ts';
import { readAhead } from './read-ahead.ts';

export type TurnOptions = {
  from: Progress;
  /** Entries up to this one, or as many as go into `groups`. */
  size: number;
  groups: number;
  limits: GroupLimits;
  blocks: readonly [LinesBlock, LinesBlock];
  groupOptions: Omit<GroupOptions, 'block' | 'inFlight' | 'threadFor'>;
  threadFor: GroupOptions['threadFor'];
  /** Asked between groups; those that were read are inserted still. */
  isInterrupted(): boolean;
  /** Takes a group's rows out of its block. @returns `null` if it has none @throws IndexError */
  stage(finished: Finished): Promise<StagedRows | null>;
  /** @throws IndexError */
  insert(finished: Finished, staged: StagedRows | null): Promise<void>;
};

type Outcome = { error: unknown } | null;
type Turn = {
  contents: Contents;
  /** Its block, and the thread, can be used again. */
  freed: Promise<Outcome>;
  inserted: Promise<Outcome>;
};

const outcomeOf = (work: Promise<unknown>): Promise<Outcome> =>
  work.then(
    () => null,
    (error: unknown) => ({ error }),
  );

/**
 * Reads one group while the one before it is projected, in a thread beside if it can be, and those before that are
 * inserted, in their order. None is inserted after one that failed, and when this is over, so are they all.
 * @throws IndexError, VaultError
 */
export const groupsInTurn = async (options: TurnOptions): Promise<void> => {
  const { size, limits, blocks, stage, insert } = options;
  const groupOptions = { ...options.groupOptions, vault: readAhead(options.groupOptions.vault, size) };
  /** The last three, the newest last: two may wait for the one that is inserted. */
  let turns: Turn[] = [];
  let next = options.from;

  const prepare = async (
    collected: Collected,
  ): Promise<{ finished: Finished; staged: StagedRows | null }> => {
    const finished = await collected.finish();
    return { finished, staged: await stage(finished) };
  };

  const turnOf = (collected: Collected): Turn => {
    const before = turns.at(-1)?.inserted ?? Promise.resolve(null);
    const preparing = prepare(collected);
    const insertAfter = async (): Promise<void> => {
      // First: where this group cannot be prepared, those before it must be over all the same when that is told.
      const outcome = await before;
      if (outcome === null) {
        const { finished, staged } = await preparing;
        return insert(finished, staged);
      }
      await preparing.then(
        ({ staged }) => staged?.discard(),
        () => undefined,
      );
      throw outcome.error;
    };
    return {
      contents: collected.contents,
      freed: outcomeOf(preparing),
      inserted: outcomeOf(insertAfter()),
    };
  };

  const collectNext = async (turn: number): Promise<void> => {
    const collected = await collectGroup(
      next,
      size,
      {
        ...groupOptions,
        block: blocks[turn % 2 === 0 ? 0 : 1],
        inFlight: turns.map(({ contents }) => contents),
        // What comes in live is the first and only one: in the thread it keeps no search waiting.
        threadFor: turn % 2 === 0 ? options.threadFor : () => null,
      },
      limits,
    );
    ({ next } = collected);
    turns = [...turns, turnOf(collected)].slice(-3);
  };

  let outcome: Outcome = null;
  for (let turn = 0; next.entry < size && turn < options.groups && outcome === null; turn += 1) {
    outcome = (await turns.at(-2)?.freed) ?? (await turns.at(-3)?.inserted) ?? null;
    if (options.isInterrupted()) break;
    outcome ??= await outcomeOf(collectNext(turn));
  }
  outcome = (await turns.at(-1)?.inserted) ?? outcome;
  if (outcome !== null) throw outcome.error;
};
