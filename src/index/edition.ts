import type { OwnLog } from '#base/own-log';
import { contentsOf, type Contents } from './contents.ts';
import type { Engine } from './engine/engine.ts';
import {
  collectGroup,
  collectRestored,
  groupLimits,
  mostRestored,
  type Collected,
  type Group,
  type GroupLimits,
  type GroupOptions,
} from './group.ts';
import type { LocalTime } from './parse/timestamp.ts';
import { LinesBlock } from './project/native/block.ts';
import type { Projecting } from './project/projecting.ts';
import { emptyIndex, nothingIndexed, undo, writeProgress, type Progress } from './progress.ts';
import { readAhead } from './read-ahead.ts';
import { remember, type Remembered } from './remembered.ts';
import { lines } from './schema.ts';
import type { Senders } from './senders.ts';
import { loadSenders } from './senders-table.ts';
import type { VaultSource } from './vault-source.ts';
import { deleteWithdrawn, mostTogether, withoutWithdrawn } from './withdraw.ts';
import type { Withdrawn } from './withdrawn.ts';

/** One set of tables that is kept up with the vault, and what is known of it. */
export type Edition = {
  readonly senders: Senders;
  progress(): Progress;
  /** Of the vault as it was looked at last, whether or not these tables have heeded it; `null`: not looked yet. */
  withdrawn(): readonly Withdrawn[] | null;
  /** Takes in the vault's entries up to `size`, or as many as go into `groups` inserts. */
  catchUp(size: number, groups?: number): Promise<void>;
  /** Empties the tables where they were made from another vault. */
  adopt(origin: string): Promise<void>;
  empty(): Promise<void>;
  /** Takes out what the vault has taken away. */
  withdraw(): Promise<void>;
  /** Tries entries that were altered once more, now and then. */
  restore(): Promise<void>;
  /** After a failure part of a group may be in the table. */
  undo(): Promise<void>;
  /** Of more senders than are kept by name, those with the most lines are looked up now and then. */
  refreshSenders(): Promise<void>;
  /** Writes down what the next start would have to look for, if that is due. */
  remember(when: 'now' | 'if due'): Promise<void>;
  /** The tables are others by now, or were opened only now. */
  become(progress: Progress, known: Remembered): void;
};

export type EditionOptions = {
  engine: Engine;
  vault: VaultSource;
  log: OwnLog;
  local: LocalTime;
  restoreMs: number;
  mostSenders: number | undefined;
  limits?: GroupLimits;
  projecting: Projecting;
  /** Asked between groups. */
  isInterrupted(): boolean;
  /** Awaited before rows are deleted, replaced, or added to entries that were passed over. */
  beforeRewriting(): Promise<void>;
  onInserted(group: Group): void | Promise<void>;
};

const sendersMs = 10 * 60_000;
const rememberMs = 60_000;
/** After a crash, the senders of so many lines are counted again. */
const linesPerMemory = 500_000;
/** Entries without lines are noted this often; reading them again after a crash costs nothing. */
const emptyEntriesPerProgress = 256;

export const openEdition = (options: EditionOptions, start: Progress, known: Remembered): Edition => {
  const { engine, vault, log } = options;
  const { senders } = known;
  const blocks = [new LinesBlock(), new LinesBlock()] as const;
  let done = start;
  let written = start;
  let { withdrawn } = known;
  let restored = { at: -Infinity, skip: 0 };
  let sendersLoaded = { at: performance.now(), lines: start.lines };
  let remembered = { at: performance.now(), lines: known.lines };

  const insert = async (group: Group): Promise<void> => {
    // What comes in live fills no group. Until merges came to it each search would have to look at every line of it.
    const indices = group.size === 'partial' ? 'now' : 'late';
    if (group.rows > 0) await engine.insert(lines, group.bytes, indices);
    const noteworthy =
      group.rows > 0 ||
      group.after.altered !== written.altered ||
      group.after.entry - written.entry >= emptyEntriesPerProgress;
    if (noteworthy) {
      await writeProgress(engine, group.after);
      written = group.after;
    }
    done = group.after;
    senders.merge(group.senders);
    for (const { entry, reason } of group.after.altered.slice(-8))
      if (entry >= group.from) log('error', `entry ${entry} is not indexed: ${reason}`);
    await options.onInserted(group);
  };

  const groupOptions = (
    block: LinesBlock,
    inFlight: Contents | null,
    from: GroupOptions['vault'] = vault,
    threadFor: GroupOptions['threadFor'] = () => null,
  ): GroupOptions => ({
    vault: from,
    local: options.local,
    block,
    contentsOf: (numbers, keys) => contentsOf(engine, numbers, keys),
    inFlight,
    threadFor,
  });

  type Outcome = { error: unknown } | null;
  const outcomeOf = (work: Promise<unknown>): Promise<Outcome> =>
    work.then(
      () => null,
      (error: unknown) => ({ error }),
    );

  /** Reads one group while the one before it is projected, in a thread beside if it can be, and inserted. */
  const catchUp = async (size: number, groups = Infinity): Promise<void> => {
    let last: Promise<Outcome> = Promise.resolve(null);
    let lastButOne = last;
    let next = done;
    let inFlight: Contents | null = null;
    const ahead = readAhead(vault, size);
    const insertAfter = async (before: Promise<Outcome>, { finish }: Collected): Promise<void> => {
      const outcome = await before;
      if (outcome !== null) throw outcome.error;
      await insert(await finish(done));
    };
    const collectNext = async (turn: number): Promise<void> => {
      // What comes in live is the first and only one: in the thread it keeps no search waiting.
      const chosen =
        turn % 2 === 0
          ? groupOptions(blocks[0], inFlight, ahead, (batch) => options.projecting.threadFor(batch))
          : groupOptions(blocks[1], inFlight, ahead);
      const collected = await collectGroup(next, size, chosen, options.limits ?? groupLimits);
      ({ next, contents: inFlight } = collected);
      [lastButOne, last] = [last, outcomeOf(insertAfter(last, collected))];
    };
    let outcome: Outcome = null;
    for (
      let turn = 0;
      next.entry < size && turn < groups && outcome === null && !options.isInterrupted();
      turn += 1
    ) {
      // Then its block, and the thread, are free again.
      outcome = (await lastButOne) ?? (await outcomeOf(collectNext(turn)));
    }
    const inserted = await last;
    outcome = inserted ?? outcome;
    if (outcome !== null) throw outcome.error;
  };

  const empty = async (): Promise<void> => {
    await options.beforeRewriting();
    await emptyIndex(engine);
    senders.clear();
    done = { ...nothingIndexed, origin: done.origin };
    written = nothingIndexed;
    remembered = { at: performance.now(), lines: 0 };
  };

  const rememberNow = async (): Promise<void> => {
    if (withdrawn === null) return;
    remembered = { at: performance.now(), lines: done.lines };
    // Between the two are but entries without lines.
    await remember(engine, written, { senders, withdrawn, lines: done.lines });
  };

  return {
    senders,
    progress: () => done,
    withdrawn: () => withdrawn,
    catchUp,
    async adopt(origin) {
      if (done.origin === origin) return;
      if (done.origin !== '') {
        log('warning', `the vault is now ${origin}, the index was made from ${done.origin}: making it again`);
        await empty();
        withdrawn = null;
      }
      done = { ...done, origin };
    },
    empty,
    async withdraw() {
      const last = withdrawn?.at(-1)?.amendment ?? -1;
      const added = await vault.withdrawn(last + 1);
      withdrawn = [...(withdrawn ?? []), ...added];
      const due = withdrawn.filter(({ amendment }) => amendment >= done.amended);
      for (let at = 0; at < due.length; at += mostTogether) {
        const some = due.slice(at, at + mostTogether);
        const after = await withoutWithdrawn(engine, done, some);
        if (after === null) {
          log('warning', 'lines were taken away of which others hang in the index: making it again');
          return empty();
        }
        const rows = done.lines - after.lines;
        await writeProgress(engine, after);
        done = after;
        written = after;
        if (rows === 0) continue;
        await options.beforeRewriting();
        await deleteWithdrawn(engine, after);
        await engine.deletePartsNow(lines);
        senders.become(await loadSenders(engine, options.mostSenders));
        log('info', `${rows} lines that the vault has taken away are not in the index any more`);
        await rememberNow();
      }
    },
    async restore() {
      if (done.altered.length === 0 || performance.now() - restored.at < options.restoreMs) return;
      const group = await collectRestored(done, restored.skip, groupOptions(blocks[0], null));
      const skip = restored.skip + mostRestored;
      restored = { at: performance.now(), skip: skip < done.altered.length ? skip : 0 };
      if (group === null) return;
      const entries = done.altered.length - group.after.altered.length;
      await options.beforeRewriting();
      await insert(group);
      log('info', `${entries} entries that were altered are as committed again: ${group.rows} lines indexed`);
    },
    async undo() {
      await options.beforeRewriting();
      await undo(engine, done);
    },
    async refreshSenders() {
      const due = performance.now() - sendersLoaded.at > sendersMs && done.lines !== sendersLoaded.lines;
      if (senders.others() === null || !due) return;
      senders.become(await loadSenders(engine, options.mostSenders));
      sendersLoaded = { at: performance.now(), lines: done.lines };
    },
    async remember(when) {
      const isDue =
        performance.now() - remembered.at > rememberMs && done.lines - remembered.lines >= linesPerMemory;
      if (when === 'now' ? done.lines !== remembered.lines : isDue) await rememberNow();
    },
    become(progress, of) {
      done = progress;
      written = progress;
      ({ withdrawn } = of);
      senders.become(of.senders);
      remembered = { at: performance.now(), lines: of.lines };
    },
  };
};
