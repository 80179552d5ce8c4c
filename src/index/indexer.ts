import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { openEngine } from './engine/embedded.ts';
import type { Engine, EngineOptions } from './engine/engine.ts';
import { IndexError } from './errors.ts';
import { collectGroup, type Group } from './group.ts';
import type { Numbering } from './numbering.ts';
import { machineZone, type LocalTime } from './parse/timestamp.ts';
import { RowBinaryWriter } from './project/row-binary.ts';
import {
  emptyIndex,
  loadSenders,
  nothingIndexed,
  recover,
  undo,
  writeProgress,
  type AlteredEntry,
  type Progress,
} from './progress.ts';
import { lines } from './schema.ts';
import type { Senders } from './senders.ts';
import { buildTokenIndex } from './token-index.ts';
import { meansAltered, type VaultSource } from './vault-source.ts';

export type Trouble = {
  /** `vault altered`: what is published is not what was signed. `vault`: it could not be read. `index`: the engine failed. */
  with: 'vault altered' | 'vault' | 'index';
  message: string;
};

/** What the index can say of itself. */
export type IndexState = {
  /** Entries below this are in the index. Rows of later ones may be there already and are not to be shown. */
  indexed: number;
  /** Size of the newest checkpoint seen; 0 if there is none yet. */
  committed: number;
  lines: number;
  redelivered: number;
  altered: readonly AlteredEntry[];
  numbering: Numbering;
  /** Why the vault's entries beyond `indexed` are not being taken in, `null` if they are. */
  trouble: Trouble | null;
};

/** Entries [from, to) have just become searchable. */
export type Indexed = { from: number; to: number };

export type Index = {
  readonly engine: Engine;
  readonly senders: Senders;
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
    return follow(engine, options, recovery.progress, await loadSenders(engine));
  } catch (error) {
    await engine.close();
    throw error;
  }
};

const retryMs = 1000;
const idleBeforeIndexMs = 1000;
/** Entries without lines are noted this often; reading them again after a crash costs nothing. */
const emptyEntriesPerProgress = 256;

const follow = (engine: Engine, options: IndexOptions, start: Progress, senders: Senders): Index => {
  const { vault, log } = options;
  const local = options.local ?? machineZone;
  const pollMs = options.pollMs ?? 100;
  const listeners = new Set<(range: Indexed) => void>();
  const writers = [new RowBinaryWriter(), new RowBinaryWriter()] as const;

  let done = start;
  let written = start;
  let committed = 0;
  let trouble: Trouble | null = null;
  const stopping = new AbortController();
  let emptying: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  let unbuilt = true;
  let idleSince = performance.now();

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
    for (const listener of listeners) listener({ from: group.from, to: group.after.entry });
  };

  type Outcome = { error: unknown } | null;

  /** Reads one group while the one before it is inserted. */
  const catchUp = async (size: number): Promise<void> => {
    let inserting: Promise<Outcome> = Promise.resolve(null);
    let next = done;
    for (let turn = 0; next.entry < size && !stopping.signal.aborted && emptying.length === 0; turn += 1) {
      const writer = turn % 2 === 0 ? writers[0] : writers[1];
      const collected = await collectGroup(vault, next, size, writer, local).then(
        (group) => ({ group }),
        (error: unknown) => ({ error }),
      );
      const outcome = await inserting;
      if (outcome !== null) throw outcome.error;
      if (!('group' in collected)) throw collected.error;
      const { group } = collected;
      next = group.after;
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
    }
    done = { ...done, origin };
  };

  const empty = async (): Promise<void> => {
    await emptyIndex(engine);
    senders.clear();
    done = { ...nothingIndexed, origin: done.origin };
    written = nothingIndexed;
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
    committed = checkpoint.size;
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
    }
  };

  /** After a failure part of a group may be in the table. */
  const repair = async (error: unknown): Promise<void> => {
    if (trouble === null) log('error', `indexing stands still: ${messageOf(error)}`);
    const source = error instanceof IndexError ? 'index' : meansAltered(error) ? 'vault altered' : 'vault';
    trouble = { with: source, message: messageOf(error) };
    await sleep(retryMs);
    if (!stopping.signal.aborted) await undo(engine, done.entry);
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
    state: () => ({
      indexed: done.entry,
      committed,
      lines: done.lines,
      redelivered: done.redelivered,
      altered: done.altered,
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
