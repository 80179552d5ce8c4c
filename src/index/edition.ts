import type { OwnLog } from '#base/own-log';
import { contentsOf } from './contents.ts';
import { groupsInTurn } from './groups-in-turn.ts';
import type { Engine, StagedRows } from './engine/engine.ts';
import {
  collectRestored,
  groupLimits,
  mostRestored,
  type Finished,
  type Group,
  type GroupLimits,
  type GroupOptions,
} from './group.ts';
import type { LocalTime } from './parse/timestamp.ts';
import { LinesBlock } from './project/native/block.ts';
import type { Projecting } from './project/projecting.ts';
import { emptyIndex, nothingIndexed, undo, writeProgress, type Progress } from './progress.ts';
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
  /** Takes in the vault's entries up to `size`, or as many as go into `groups` inserts. @throws IndexError, VaultError */
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

  /** @param staged its rows, `null` if it has none */
  const insert = async (group: Group, staged: StagedRows | null): Promise<void> => {
    // What comes in live fills no group. Until merges came to it each search would have to look at every line of it.
    const indices = group.size === 'partial' ? 'now' : 'late';
    await staged?.insert(indices);
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

  const groupOptions: Omit<GroupOptions, 'block' | 'inFlight' | 'threadFor'> = {
    vault,
    local: options.local,
    contentsOf: (numbers, keys) => contentsOf(engine, numbers, keys),
  };

  /** @returns `null` if it has no rows */
  const stage = async ({ rows, bytes }: Finished): Promise<StagedRows | null> =>
    rows === 0 ? null : engine.stage(lines, bytes);

  const catchUp = (size: number, groups = Infinity): Promise<void> =>
    groupsInTurn({
      from: done,
      size,
      groups,
      limits: options.limits ?? groupLimits,
      blocks,
      groupOptions,
      threadFor: (batch) => options.projecting.threadFor(batch),
      isInterrupted: options.isInterrupted,
      stage,
      insert: (finished, staged) => insert(finished.after(done), staged),
    });

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
      const found = await collectRestored(done, restored.skip, {
        ...groupOptions,
        block: blocks[0],
        inFlight: [],
        threadFor: () => null,
      });
      const skip = restored.skip + mostRestored;
      restored = { at: performance.now(), skip: skip < done.altered.length ? skip : 0 };
      if (found === null) return;
      const group = found.after(done);
      const entries = done.altered.length - group.after.altered.length;
      await options.beforeRewriting();
      await insert(group, await stage(found));
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
