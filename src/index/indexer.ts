import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { openEngine } from './engine/embedded.ts';
import type { Engine, EngineOptions } from './engine/engine.ts';
import { IndexError } from './errors.ts';
import type { Indexed, IndexState, Trouble } from './index-state.ts';
import { contentsOf, type Contents } from './contents.ts';
import { collectGroup, collectRestored, mostRestored, type Group, type GroupOptions } from './group.ts';
import { deleteOldParts, deletePartsNow } from './old-parts.ts';
import { machineZone, type LocalTime } from './parse/timestamp.ts';
import { RowBinaryWriter } from './project/row-binary.ts';
import { emptyIndex, nothingIndexed, recover, undo, writeProgress, type Progress } from './progress.ts';
import { lines } from './schema.ts';
import type { Senders } from './senders.ts';
import { loadSenders } from './senders-table.ts';
import { buildTokenIndex } from './token-index.ts';
import { meansAltered, type VaultSource } from './vault-source.ts';
import { deleteWithdrawn, mostTogether, withoutWithdrawn } from './withdraw.ts';
import type { Withdrawn } from './withdrawn.ts';

export type Index = {
  readonly engine: Engine;
  readonly senders: Senders;
  readonly vault: VaultSource;
  state(): IndexState;
  /** @returns how to stop listening */
  onIndexed(listener: (range: Indexed) => void): () => void;
  /** Empties the index and makes it again from the vault; resolves when it is empty. */
  rebuild(): Promise<void>;
  /** Finishes the insert in hand and closes the engine. */
  stop(): Promise<void>;
};

export type IndexOptions = EngineOptions & {
  vault: VaultSource;
  log: OwnLog;
  /** How to read times without a zone. Default: this machine's zone. */
  local?: LocalTime;
  pollMs?: number;
  /** How often altered entries are tried again. Default: a minute. */
  restoreMs?: number;
  /** How many senders are kept by name. */
  mostSenders?: number;
};

/**
 * Opens the index and keeps it up with the vault until stopped. Each line comes in exactly once, however often the
 * process dies: rows go in first, then the progress that speaks of them, and rows beyond it are deleted at the start.
 * @throws IndexError
 */
export const openIndex = async (options: IndexOptions): Promise<Index> => {
  const { log } = options;
  const engine = await openEngine(options);
  try {
    const recovery = await recover(engine);
    log(recovery.found === 'not usable' ? 'warning' : 'info', `index ${recovery.found}: ${recovery.detail}`);
    return follow(engine, options, recovery.progress, await loadSenders(engine, options.mostSenders));
  } catch (error) {
    await engine.close();
    throw error;
  }
};

const retryMs = 1000;
const idleBeforeIndexMs = 1000;
/** Of more senders than are kept by name, those with the most lines are looked up this often. */
const sendersMs = 10 * 60_000;
const oldPartsMs = 20_000;
/** Entries without lines are noted this often; reading them again after a crash costs nothing. */
const emptyEntriesPerProgress = 256;

const follow = (engine: Engine, options: IndexOptions, start: Progress, senders: Senders): Index => {
  const { vault, log } = options;
  const local = options.local ?? machineZone;
  const pollMs = options.pollMs ?? 100;
  const restoreMs = options.restoreMs ?? 60_000;
  const listeners = new Set<(range: Indexed) => void>();
  const writers = [new RowBinaryWriter(), new RowBinaryWriter()] as const;

  let done = start;
  let written = start;
  /** Of the vault as it was looked at last, whether or not the index has heeded it. */
  let withdrawn: readonly Withdrawn[] | null = null;
  let committed = 0;
  let trouble: Trouble | null = null;
  const stopping = new AbortController();
  let emptying: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  let unbuilt = true;
  let idleSince = performance.now();
  let tidied = performance.now();
  let restored = { at: -Infinity, skip: 0 };
  let sendersLoaded = { at: performance.now(), lines: start.lines };

  const insert = async (group: Group): Promise<void> => {
    if (group.rows > 0) await engine.insert(lines, [group.bytes]);
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
    if (group.rows >= 50_000) unbuilt = true;
    tidyUp();
    for (const listener of listeners) listener({ from: group.from, to: group.after.entry });
  };

  const groupOptions = (writer: RowBinaryWriter, inFlight: Contents | null): GroupOptions => ({
    vault,
    local,
    writer,
    contentsOf: (numbers, keys) => contentsOf(engine, numbers, keys),
    inFlight,
  });

  type Outcome = { error: unknown } | null;

  /** Reads one group while the one before it is inserted. */
  const catchUp = async (size: number): Promise<void> => {
    let inserting: Promise<Outcome> = Promise.resolve(null);
    let next = done;
    let inFlight: Contents | null = null;
    for (let turn = 0; next.entry < size && !stopping.signal.aborted && emptying.length === 0; turn += 1) {
      const writer = turn % 2 === 0 ? writers[0] : writers[1];
      const collected: { group: Group } | { error: unknown } = await collectGroup(
        next,
        size,
        groupOptions(writer, inFlight),
      ).then(
        (group) => ({ group }),
        (error: unknown) => ({ error }),
      );
      const outcome = await inserting;
      if (outcome !== null) throw outcome.error;
      if (!('group' in collected)) throw collected.error;
      const group: Group = collected.group;
      next = group.after;
      inFlight = group.contents;
      inserting = insert(group).then(
        () => null,
        (error: unknown) => ({ error }),
      );
    }
    const outcome = await inserting;
    if (outcome !== null) throw outcome.error;
  };

  const adopt = async (origin: string): Promise<void> => {
    if (done.origin === origin) return;
    if (done.origin !== '') {
      log('warning', `the vault is now ${origin}, the index was made from ${done.origin}: making it again`);
      await empty();
      withdrawn = null;
    }
    done = { ...done, origin };
  };

  const empty = async (): Promise<void> => {
    await emptyIndex(engine);
    senders.clear();
    done = { ...nothingIndexed, origin: done.origin };
    written = nothingIndexed;
  };

  /** Takes out of the index what the vault has taken away. */
  const withdraw = async (): Promise<void> => {
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
      await deleteWithdrawn(engine, after);
      await deletePartsNow(engine);
      senders.become(await loadSenders(engine, options.mostSenders));
      log('info', `${rows} lines that the vault has taken away are not in the index any more`);
    }
  };

  /** Entries that were altered may have been restored from a copy. */
  const restore = async (): Promise<void> => {
    if (done.altered.length === 0 || performance.now() - restored.at < restoreMs) return;
    const group = await collectRestored(done, restored.skip, groupOptions(writers[0], null));
    const skip = restored.skip + mostRestored;
    restored = { at: performance.now(), skip: skip < done.altered.length ? skip : 0 };
    if (group === null) return;
    const entries = done.altered.length - group.after.altered.length;
    await insert(group);
    log('info', `${entries} entries that were altered are as committed again: ${group.rows} lines indexed`);
  };

  const tidyUp = (): void => {
    if (performance.now() - tidied < oldPartsMs) return;
    tidied = performance.now();
    deleteOldParts(engine).catch((error: unknown) => {
      if (!stopping.signal.aborted) log('warning', `merged parts were not deleted: ${messageOf(error)}`);
    });
  };

  const refreshSenders = async (): Promise<void> => {
    const due = performance.now() - sendersLoaded.at > sendersMs && done.lines !== sendersLoaded.lines;
    if (senders.others() === null || !due) return;
    senders.become(await loadSenders(engine, options.mostSenders));
    sendersLoaded = { at: performance.now(), lines: done.lines };
  };

  const step = async (): Promise<void> => {
    if (emptying.length > 0) {
      const waiting = emptying;
      try {
        await empty();
        emptying = [];
        for (const { resolve } of waiting) resolve();
      } catch (error) {
        emptying = [];
        for (const { reject } of waiting) reject(error);
      }
    }
    const checkpoint = vault.checkpoint();
    if (checkpoint === null) return;
    await adopt(checkpoint.origin);
    if (checkpoint.size !== committed || withdrawn === null) await withdraw();
    committed = checkpoint.size;
    await restore();
    tidyUp();
    if (checkpoint.size > done.entry) {
      await catchUp(checkpoint.size);
      idleSince = performance.now();
    } else if (unbuilt && performance.now() - idleSince > idleBeforeIndexMs) {
      unbuilt = false;
      buildTokenIndex(engine).then(
        (parts) => (parts > 0 ? log('info', `built the token index of ${parts} parts`) : undefined),
        (error: unknown) =>
          log('warning', `the token index was not built, searches scan instead: ${messageOf(error)}`),
      );
    } else await refreshSenders();
  };

  /** After a failure part of a group may be in the table. */
  const repair = async (error: unknown): Promise<void> => {
    if (trouble === null) log('error', `indexing stands still: ${messageOf(error)}`);
    const source = error instanceof IndexError ? 'index' : meansAltered(error) ? 'vault altered' : 'vault';
    trouble = { with: source, message: messageOf(error) };
    await sleep(retryMs);
    if (!stopping.signal.aborted) await undo(engine, done);
  };

  const loop = async (): Promise<void> => {
    let outcome: Outcome = null;
    while (!stopping.signal.aborted) {
      try {
        if (outcome !== null) await repair(outcome.error);
        await step();
        outcome = null;
        trouble = null;
        if (!stopping.signal.aborted && committed <= done.entry) await sleep(pollMs);
      } catch (error) {
        outcome = { error };
      }
    }
    for (const { reject } of emptying)
      reject(new IndexError('engine-closed', 'the indexer was stopped before it began to rebuild'));
  };
  const looping = loop();

  return {
    engine,
    senders,
    vault,
    state: () => ({
      indexed: done.entry,
      committed,
      lines: done.lines,
      redelivered: done.redelivered,
      conflicts: done.conflicts,
      heldUntil: done.heldUntil,
      altered: done.altered,
      withdrawn: withdrawn ?? [],
      numbering: done.numbering,
      trouble,
    }),
    onIndexed(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    rebuild: () =>
      new Promise((resolve, reject) => {
        emptying.push({ resolve, reject });
      }),
    async stop() {
      stopping.abort();
      await looping;
      await engine.close();
    },
  };
};
