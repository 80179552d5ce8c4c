import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { openDurable } from '#vault/durable';
import { formatPosition, openIntakeReader, parsePosition, type FilePosition } from '#vault/intake';
import { VaultError } from '../errors.ts';
import type { Appender, NewEntry } from './appender.ts';
import { newBatchBuilder, type CutBatch } from './batch-builder.ts';

export type SequencerOptions = {
  appender: Appender;
  /** intake/: read; what is committed is removed from it. */
  intake: string;
  clock: Clock;
  /** Name of this host, for the keeper's own lines. */
  host: string;
  log: OwnLog;
  step?: (what: string) => void;
};

export type Sequencer = {
  /** Settles only when the sequencer ends: after `stop`, or with the fault that ended it. */
  readonly ended: Promise<void>;
  /**
   * Takes what is whole in intake, commits it, and ends; nothing that is not committed is left in the vault.
   * @param withinMs no commit is begun later than this after the call, and only the one under way is waited for. What
   *   is not committed by then stays in intake, where it is durable. Without it, all of intake is taken
   */
  stop(withinMs?: number): Promise<void>;
};

/** A batch is cut, and a commit begun, when its oldest line is this old; no two commits begin closer together. */
const commitEveryMs = 500;
const heartbeatEveryMs = 60_000;
const pollActiveMs = 25;
const pollIdleMs = 100;
const noSpaceRetryMs = 1000;
/** A stop reads intake for this part of its time: what was read has to be committed too. */
const readingShare = 0.5;
/** Compressed batches that wait for a commit: beyond this, intake waits. */
const maxPendingBytes = 64 * 1024 * 1024;
/** Batches that wait for compression. */
const maxCompressing = 3;
/** Outer entries of one commit. */
const maxEntries = 256;

/**
 * Takes intake into the vault: reads deliveries in order, cuts batches, commits them at most twice a second, and
 * removes intake files only when everything in them is published. Reading goes on while a commit waits for the disk.
 */
export const startSequencer = (options: SequencerOptions): Sequencer => {
  const { appender, intake, clock, host, log } = options;
  const durable = openDurable({ scratch: intake, ...(options.step ? { step: options.step } : {}) });
  /** How far lines were taken into batches; what a commit makes final is a copy of it. */
  const position = parsePosition(appender.intake());
  const reader = openIntakeReader({ dir: intake, position });
  const builder = newBatchBuilder({ clock, host });

  let cut: CutBatch[] = [];
  let other: NewEntry[] = [{ kind: 'restart', reason: startReason(appender) }];
  let nextEntry = appender.size() + other.length;
  let pendingBytes = 0;
  let compressing = 0;
  let committing: Promise<void> | null = null;
  let lastCommit = -Infinity;
  let stopping: 'no' | 'yes' = 'no';
  /** On the clock: when a stop reads nothing more, and when it begins no commit any more. */
  let readUntil = Infinity;
  let commitUntil = Infinity;
  const stopped = Promise.withResolvers<void>();
  let active = 0;
  let fault: { error: unknown } | null = null;

  const cutBatch = async (): Promise<void> => {
    const batch = builder.cut(nextEntry);
    nextEntry += 1;
    cut.push(batch);
    pendingBytes += batch.plainLength;
    compressing += 1;
    const settled = batch.ready.then(({ stored }) => {
      compressing -= 1;
      pendingBytes += stored.length - batch.plainLength;
    });
    settled.catch(() => undefined);
    if (compressing >= maxCompressing) await settled;
  };

  /** @returns whether there was anything */
  const readSome = async (): Promise<boolean> => {
    if (pendingBytes >= maxPendingBytes || cut.length >= maxEntries) return false;
    if (clock.elapsed() >= readUntil) return false;
    const piece = await reader.next();
    if (piece === null) return false;
    switch (piece.kind) {
      case 'deliveries': {
        let from = piece.from;
        for (const delivery of piece.deliveries) {
          await builder.add(delivery, { file: piece.file, from }, cutBatch);
          from += delivery.length;
          // The reader is past the others; but nothing more is read, and the position says what was taken.
          if (clock.elapsed() >= readUntil) break;
        }
        position.set(piece.file, from);
        break;
      }
      case 'lost':
        log(
          'warning',
          `${join(intake, piece.file)}: ${piece.bytes} bytes at ${piece.from} are no delivery (${piece.cause})`,
        );
        builder.countLoss(piece.bytes);
        await builder.addSelf(
          { kind: 'loss', cause: piece.cause, file: piece.file, from: piece.from, bytes: piece.bytes },
          cutBatch,
        );
        position.set(piece.file, piece.from + piece.bytes);
        break;
      case 'finished':
        position.set(piece.file, piece.state);
        break;
    }
    return true;
  };

  /** @param isMore whether intake had more just now: a stop commits at once only what is the last of it */
  const isDue = (isMore: boolean): boolean => {
    const now = clock.elapsed();
    if (committing !== null) return false;
    const since = builder.openSince();
    const isSomething = since !== null || cut.length > 0 || other.length > 0;
    if (stopping === 'yes' && !isMore && isSomething) return true;
    if (now - lastCommit < commitEveryMs) return false;
    return other.length > 0 || cut.length > 0 || (since !== null && now - since >= commitEveryMs);
  };

  const commitAll = async (): Promise<void> => {
    if (builder.openSince() !== null) await cutBatch();
    const batches = cut;
    const entries: NewEntry[] = other;
    cut = [];
    other = [];
    const upTo = new Map(position);
    lastCommit = clock.elapsed();
    committing = (async () => {
      for (const batch of batches) entries.push(await batch.ready);
      if (!(await commitWhenThereIsSpace(entries, upTo))) return;
      for (const entry of entries) if (entry.kind === 'batch') pendingBytes -= entry.stored.length;
      await removeTaken(upTo);
    })();
    committing.then(
      () => {
        committing = null;
      },
      (error: unknown) => {
        fault = { error };
      },
    );
  };

  /** @returns whether it was committed: a stop does not wait for space, the lines are in intake */
  const commitWhenThereIsSpace = async (
    entries: readonly NewEntry[],
    upTo: Map<string, FilePosition>,
  ): Promise<boolean> => {
    for (;;) {
      try {
        await appender.commit(entries, formatPosition(upTo));
        return true;
      } catch (error) {
        if (!(error instanceof VaultError) || error.code !== 'no-space') throw error;
        const plan = stopping === 'no' ? 'trying again each second' : 'they are taken after the next start';
        log('error', `${error.message}. Free space. Nothing is lost: lines stay in ${intake}; ${plan}`);
        // Nothing that comes after what was not committed may be committed either.
        if (stopping === 'yes') commitUntil = -Infinity;
        if (clock.elapsed() >= commitUntil) return false;
        await Promise.race([sleep(noSpaceRetryMs), stopped.promise]);
      }
    }
  };

  /** Only what a published checkpoint covers. A file is forgotten when its absence is durable, and not before. */
  const removeTaken = async (upTo: ReadonlyMap<string, FilePosition>): Promise<void> => {
    const done = [...upTo].filter(([, state]) => state === 'done').map(([name]) => name);
    const damaged = [...upTo].filter(([, state]) => state === 'damaged').map(([name]) => name);
    if (done.length > 0) await durable.remove(done.map((name) => join(intake, name)));
    if (damaged.length > 0) await durable.makeDirectory(join(intake, 'damaged'));
    for (const name of damaged) {
      if ((await stat(join(intake, name)).catch(() => null)) === null) continue;
      await durable.move(join(intake, name), join(intake, 'damaged', name));
      log('error', `${name} is damaged: set aside in ${join(intake, 'damaged')}`);
    }
    for (const name of [...done, ...damaged]) position.delete(name);
  };

  const heartbeat = (): void => {
    if (committing !== null || clock.elapsed() - lastCommit < heartbeatEveryMs) return;
    if (other.length > 0 || cut.length > 0 || builder.openSince() !== null) return;
    other.push({ kind: 'heartbeat' });
    nextEntry += 1;
  };

  const run = async (): Promise<void> => {
    await forgetMissing(intake, position);
    await removeTaken(position);
    for (;;) {
      if (fault !== null) throw fault.error;
      if (clock.elapsed() >= commitUntil) {
        await committing;
        return;
      }
      const wasStopping = stopping;
      const isMore = await readSome();
      if (isMore) active = clock.elapsed();
      heartbeat();
      if (isDue(isMore)) await commitAll();
      if (isMore) {
        // Timers and the disk get their turn between two pieces.
        await turn();
        continue;
      }
      if (wasStopping === 'yes' && pendingBytes < maxPendingBytes) {
        await committing;
        if (isDue(false)) continue;
        if (!(await readSome())) return;
        continue;
      }
      const pause = clock.elapsed() - active < 2000 ? pollActiveMs : pollIdleMs;
      await (committing === null ? sleep(pause) : Promise.race([committing, sleep(pause)]));
    }
  };

  const ended = run().finally(() => reader.close());
  ended.catch(() => undefined);
  return {
    ended,
    async stop(withinMs = Infinity) {
      if (stopping === 'no') {
        stopping = 'yes';
        readUntil = clock.elapsed() + withinMs * readingShare;
        commitUntil = clock.elapsed() + withinMs;
        stopped.resolve();
      }
      await ended;
    },
  };
};

const startReason = (appender: Appender): string =>
  appender.recovered ? 'recovered' : appender.size() === 0 ? 'created' : 'start';

/** What the lock record names as taken and what is gone by now was removed before the last end. */
const forgetMissing = async (intake: string, position: Map<string, FilePosition>): Promise<void> => {
  const directory = await open(intake).catch((error: unknown) => {
    throw new VaultError(
      'absent',
      `cannot read ${intake}: ${messageOf(error)}. It is made by "holdfast up"`,
      { cause: error },
    );
  });
  try {
    const names = new Set(await readdir(intake));
    // A removal that was not synced may come back with the next loss of power.
    await directory.sync();
    for (const name of position.keys()) if (!names.has(name)) position.delete(name);
  } finally {
    await directory.close();
  }
};
