import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { newArrivals, type Arrivals } from './arrivals.ts';
import { engineShare } from './memory-shares.ts';
import type { GroupLimits } from './group.ts';
import { newLedgerLines, type LedgerVersion } from './ledger-lines.ts';
import { openMergePause } from './merge-pause.ts';
import { openEdition } from './edition.ts';
import { openEngine } from './engine/embedded.ts';
import type { Engine, EngineOptions } from './engine/engine.ts';
import { watchDirectory } from './engine/own-directory.ts';
import { openServerEngine, type ServerOptions } from './engine/server.ts';
import { IndexError } from './errors.ts';
import type { Indexed, IndexState, Trouble } from './index-state.ts';
import { machineZone, type LocalTime } from './parse/timestamp.ts';
import { noProjecting, openProjecting } from './project/projecting.ts';
import { parserVersion } from './project/row.ts';
import { nothingIndexed, recover, type Progress } from './progress.ts';
import { nothingRemembered, recall, type Remembered } from './remembered.ts';
import { completeTakeOver, openReparse } from './reparse.ts';
import { lateIndices, lines as linesTable, tables } from './schema.ts';
import type { Senders } from './senders.ts';
import { meansAltered, type VaultSource } from './vault-source.ts';
import { openWordList, type Words } from './words/words.ts';

export type Index = {
  readonly engine: Engine;
  readonly senders: Senders;
  readonly vault: VaultSource;
  readonly arrivals: Pick<Arrivals, 'linesBefore' | 'timeOf'>;
  /** What the token index has in it; `null` as long as that is not known. */
  words(): Words | null;
  /** Of the lines that tell of others which are missing; `null` while nobody can say. */
  ledger(): LedgerVersion | null;
  state(): IndexState;
  /** @returns how to stop listening */
  onIndexed(listener: (range: Indexed) => void): () => void;
  /** Empties the index and makes it again from the vault; resolves when it is empty. */
  rebuild(): Promise<void>;
  /** Finishes the inserts in hand, three groups at most, and closes the engine. */
  stop(): Promise<void>;
};

export type IndexOptions = Omit<EngineOptions, 'memory'> & {
  /** Bound of what this process takes, bytes; see memory-shares.ts. Default 1 GiB. */
  memory?: number;
  vault: VaultSource;
  log: OwnLog;
  /** How to read times without a zone. Default: this machine's zone. */
  local?: LocalTime;
  pollMs?: number;
  /** How often altered entries are tried again. Default: a minute. */
  restoreMs?: number;
  /** How many senders are kept by name. */
  mostSenders?: number;
  /** What one insert takes (group.ts). With less than there is, its token index is built late. */
  limits?: GroupLimits;
  /** From how many lines on words are listed (words/words.ts). */
  wordsFrom?: number;
  /** Where the index is, if not in this process. */
  server?: IndexServer;
  /** Called once when the index's directory was deleted under it: nothing more comes in, only another process can make it again. */
  onGone?: (error: IndexError) => void;
};

export type IndexServer = Omit<ServerOptions, 'vault' | 'interactiveSeconds'>;

/**
 * Opens the index and keeps it up with the vault until stopped. Each line comes in exactly once, however often the
 * process dies: rows go in first, then the progress that speaks of them, and rows beyond it are deleted at the start.
 *
 * An index on a server opens at once, whether or not the server is there: until it is, the state says so.
 * @throws IndexError
 */
export const openIndex = async (options: IndexOptions): Promise<Index> => {
  const { server, vault } = options;
  if (server !== undefined) {
    const { interactiveSeconds } = options;
    const engine = openServerEngine({
      ...server,
      vault: () => vault.checkpoint()?.origin ?? null,
      ...(interactiveSeconds === undefined ? {} : { interactiveSeconds }),
    });
    return follow(engine, options, null);
  }
  const engine = await openEngine({ ...options, memory: engineShare(options.memory ?? defaultMemory) });
  try {
    return follow(engine, options, await openTables(engine, options));
  } catch (error) {
    await engine.close();
    throw error;
  }
};

type Opened = { progress: Progress; known: Remembered };

/** Brings the tables into the state that their progress speaks of. */
const openTables = async (engine: Engine, { log, mostSenders }: IndexOptions): Promise<Opened> => {
  await engine.settle();
  await completeTakeOver(engine, log);
  const { progress, found, detail } = await recover(engine);
  log(found === 'not usable' ? 'warning' : 'info', `index ${found}: ${detail}`);
  if (progress.parser === parserVersion && (await engine.hasBeside())) await engine.dropBeside();
  return { progress, known: await recall(engine, progress, mostSenders) };
};

const defaultMemory = 1024 ** 3;
const retryMs = 1000;
const idleBeforeIndexMs = 1000;
const oldPartsMs = 20_000;
/** Whether parts lack the token index is looked at so often, however busy it is. */
const unbuiltMs = 3_600_000;

const follow = (engine: Engine, options: IndexOptions, opened: Opened | null): Index => {
  const { vault, log } = options;
  const pollMs = options.pollMs ?? 100;
  const listeners = new Set<(range: Indexed) => void>();
  const stopping = new AbortController();
  let committed = 0;
  let trouble: Trouble | null = null;
  let emptying: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  let ended: IndexError | null = null;
  let unbuilt = true;
  let soughtUnbuilt = performance.now();
  let idleSince = performance.now();
  let tidied = performance.now();
  let building = false;
  const arrivals = newArrivals();
  const ledger = newLedgerLines();
  const pause = openMergePause(engine, () => building);
  const words =
    options.server === undefined ? openWordList(engine, options.path, log, options.wordsFrom) : null;

  // A zone that was given is known to this thread alone.
  const projecting = options.local === undefined ? openProjecting(log) : noProjecting;
  const editionOptions = {
    engine,
    projecting,
    vault,
    log,
    local: options.local ?? machineZone,
    restoreMs: options.restoreMs ?? 60_000,
    mostSenders: options.mostSenders,
    async beforeRewriting() {
      ledger.rewriting();
      await pause.end();
      await words?.forget();
    },
    isInterrupted: () => stopping.signal.aborted || emptying.length > 0,
  };
  const edition = openEdition(
    {
      ...editionOptions,
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      async onInserted({ from, size, senders, ledger: added, after }) {
        ledger.added(added);
        if (size === 'full') unbuilt = true;
        tidyUp();
        arrivals.note(after.lines, after.heldUntil, senders);
        for (const listener of listeners) listener({ from, to: after.entry });
        await pause.inserted(size);
      },
    },
    opened?.progress ?? nothingIndexed,
    opened?.known ?? nothingRemembered(options.mostSenders),
  );
  let isOpen = opened !== null;
  arrivals.note(edition.progress().lines, edition.progress().heldUntil, edition.senders);
  /** Size of the vault, as long as the index is not open. */
  let ahead = 0;
  const reparse = openReparse(edition, editionOptions);
  const gone = options.server === undefined ? watchDirectory(options.path, log) : () => null;

  const tidyUp = (): void => {
    if (performance.now() - tidied < oldPartsMs) return;
    tidied = performance.now();
    engine.deleteOldParts(tables).catch((error: unknown) => {
      if (!stopping.signal.aborted) log('warning', `merged parts were not deleted: ${messageOf(error)}`);
    });
  };

  const emptyForAll = async (): Promise<void> => {
    const waiting = emptying;
    try {
      await edition.empty();
      emptying = [];
      for (const { resolve } of waiting) resolve();
    } catch (error) {
      emptying = [];
      for (const { reject } of waiting) reject(error);
    }
  };

  const isBuildDue = (): boolean =>
    !building &&
    ((unbuilt && performance.now() - idleSince > idleBeforeIndexMs) ||
      performance.now() - soughtUnbuilt > unbuiltMs);

  const step = async (): Promise<void> => {
    const checkpoint = vault.checkpoint();
    if (!isOpen && checkpoint !== null) {
      ahead = checkpoint.size;
      ledger.rewriting();
      const found = await openTables(engine, options);
      edition.become(found.progress, found.known);
      arrivals.note(found.progress.lines, found.progress.heldUntil, edition.senders);
      isOpen = true;
    }
    if (emptying.length > 0) await emptyForAll();
    if (checkpoint === null) return;
    await edition.adopt(checkpoint.origin);
    if (checkpoint.size !== committed || edition.withdrawn() === null) await edition.withdraw();
    committed = checkpoint.size;
    if (checkpoint.size <= edition.progress().entry) await pause.end();
    await edition.restore();
    ledger.rewritten();
    tidyUp();
    if (checkpoint.size > edition.progress().entry) {
      await edition.catchUp(checkpoint.size);
      await edition.remember('if due');
      idleSince = performance.now();
    } else if (isBuildDue()) {
      unbuilt = false;
      soughtUnbuilt = performance.now();
      building = true;
      engine
        .buildIndices(linesTable, lateIndices)
        .then(
          (parts) => (parts > 0 ? log('info', `built the token index of ${parts} parts`) : undefined),
          (error: unknown) =>
            log('warning', `the token index was not built, searches scan instead: ${messageOf(error)}`),
        )
        .finally(() => (building = false));
    } else await edition.refreshSenders();
    if (!building) words?.refresh(edition.progress().entry, edition.progress().lines);
    if (!editionOptions.isInterrupted()) await reparse.step();
    ledger.rewritten();
  };

  /** After a failure part of a group may be in the table. */
  const repair = async (error: unknown): Promise<void> => {
    if (trouble === null) log('error', `indexing stands still: ${messageOf(error)}`);
    const source = error instanceof IndexError ? 'index' : meansAltered(error) ? 'vault altered' : 'vault';
    trouble = { with: source, message: messageOf(error) };
    for (const { reject } of emptying.splice(0)) reject(error);
    await sleep(retryMs);
    if (!stopping.signal.aborted && isOpen) await edition.undo();
  };

  /** Nothing is emptied any more. */
  const end = (error: IndexError): void => {
    ended = error;
    for (const { reject } of emptying.splice(0)) reject(error);
  };

  const loop = async (): Promise<void> => {
    let outcome: { error: unknown } | null = null;
    while (!stopping.signal.aborted) {
      const lost = gone();
      if (lost !== null) {
        trouble = { with: 'index', message: lost.message };
        end(lost);
        return options.onGone?.(lost);
      }
      try {
        if (outcome !== null) await repair(outcome.error);
        await step();
        outcome = null;
        trouble = null;
        if (!stopping.signal.aborted && committed <= edition.progress().entry) await sleep(pollMs);
      } catch (error) {
        outcome = { error };
      }
    }
    end(new IndexError('engine-closed', 'the indexer was stopped before it began to rebuild'));
    if (outcome === null && isOpen) await edition.remember('now');
  };
  const looping = loop();

  return {
    engine,
    senders: edition.senders,
    vault,
    arrivals,
    words: () => words?.current() ?? null,
    ledger: () => ledger.version(),
    state() {
      const { entry, lines, redelivered, conflicts, heldUntil, altered, numbering } = edition.progress();
      return {
        indexed: entry,
        committed: isOpen ? committed : ahead,
        lines,
        redelivered,
        conflicts,
        heldUntil,
        altered,
        withdrawn: edition.withdrawn() ?? [],
        numbering,
        reparsing: reparse.state(),
        trouble,
      };
    },
    onIndexed(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    rebuild: () =>
      new Promise((resolve, reject) => {
        if (ended === null) emptying.push({ resolve, reject });
        else reject(ended);
      }),
    async stop() {
      stopping.abort();
      await looping.catch((error: unknown) =>
        log('warning', `the next start has to read more: ${messageOf(error)}`),
      );
      // What waits for merges would keep the engine from closing.
      await pause.end().catch(() => undefined);
      await words?.forget();
      await projecting.close();
      await engine.close();
    },
  };
};
