import { join } from 'node:path';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '#base/clock';
import type { OwnLog } from '#base/own-log';
import { formatPosition, openIntakeReader, parsePosition } from '#vault/intake';
import type { RequestInbox } from '#vault/request';
import { VaultError } from '../errors.ts';
import { startAmender } from './amender.ts';
import type { Appender, NewEntry } from './appender.ts';
import { readAhead } from './read-ahead.ts';
import { newWitnessing, type WitnessPolicy } from './witnessing.ts';
import { newBatchBuilder, type CutBatch } from './batch-builder.ts';
import { openTaken } from './taken.ts';

export type SequencerOptions = {
  appender: Appender;
  /** intake/: read; what is committed is removed from it. */
  intake: string;
  clock: Clock;
  /** Name of this host, for the keeper's own lines. */
  host: string;
  log: OwnLog;
  /** Where people ask the keeper; without it nobody can. */
  inbox?: RequestInbox;
  step?: (what: string) => void;
  /** Whose cosignatures make a checkpoint witnessed; left out: nobody is waited for at the start. */
  witnesses?: WitnessPolicy;
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
  /** How far lines were taken into batches; what a commit makes final is a copy of it. */
  const position = parsePosition(appender.intake());
  const reader = openIntakeReader({ dir: intake, position });
  const faults = { fate: appender.fate, ...(options.step ? { step: options.step } : {}) };
  const gone = openTaken({ intake, position, log, ...faults });
  const builder = newBatchBuilder({ clock, host });

  /** What the next commit takes, in the order of the indices that `take` gave. */
  let waiting: (NewEntry | CutBatch)[] = [];
  let nextEntry = appender.size();
  const submitted = new Set<{ index: number; committed: PromiseWithResolvers<void> }>();
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
  /** Nothing is committed any more. */
  let isEnding = false;
  /** Only once the witnesses were waited for, and all that lies in intake was looked through for what they say. */
  let maySign = false;
  /** On the clock: since when no commit succeeds for want of space. */
  let noSpaceSince: number | null = null;
  /** Lines of the keeper's own for the next batch. */
  const unsaid: Record<string, unknown>[] = [];

  const take = (entry: NewEntry | CutBatch): number => {
    waiting.push(entry);
    nextEntry += 1;
    return nextEntry - 1;
  };
  const restart: NewEntry = { kind: 'restart', reason: startReason(appender) };
  take(restart);
  const witnessing = newWitnessing({ appender, policy: options.witnesses ?? null, clock, log });

  const amender = startAmender({
    appender,
    intake,
    clock,
    log,
    inbox: options.inbox ?? null,
    ...(options.step ? { step: options.step } : {}),
    begun: () => [...position.keys()],
    submit(entry) {
      if (isEnding) throw new DOMException('the keeper ends', 'AbortError');
      const one = { index: take(entry), committed: Promise.withResolvers<void>() };
      submitted.add(one);
      return { index: one.index, committed: one.committed.promise };
    },
  });
  amender.ended.catch((error: unknown) => {
    fault ??= { error };
  });

  /** As the lock record has them, once the commit under way is done. */
  let lockedDuties = amender.duties();

  const cutBatch = async (): Promise<void> => {
    const batch = builder.cut(nextEntry);
    take(batch);
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
    if (pendingBytes >= maxPendingBytes || waiting.length >= maxEntries) return false;
    if (clock.elapsed() >= readUntil) return false;
    const piece = await reader.next();
    if (piece === null) return false;
    switch (piece.kind) {
      case 'deliveries': {
        let from = piece.from;
        for (const delivery of piece.deliveries) {
          await witnessing.take(delivery);
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
    // After a commit that a stop gave up none may be begun: it would take intake to be further than it is.
    if (committing !== null || now >= commitUntil || !maySign) return false;
    const since = builder.openSince();
    const isSomething = since !== null || waiting.length > 0;
    if (stopping === 'yes' && !isMore && isSomething) return true;
    if (now - lastCommit < commitEveryMs) return false;
    return waiting.length > 0 || (since !== null && now - since >= commitEveryMs);
  };

  const commitAll = async (): Promise<void> => {
    if (builder.openSince() !== null) await cutBatch();
    const taken = waiting.map((one) =>
      one === restart && witnessing.isUnwitnessed() ? { ...restart, reason: 'unwitnessed' } : one,
    );
    waiting = [];
    const upTo = new Map(position);
    lockedDuties = amender.duties();
    const lockLines = `${formatPosition(upTo)}${lockedDuties}`;
    lastCommit = clock.elapsed();
    committing = (async () => {
      const entries: NewEntry[] = [];
      for (const one of taken) entries.push('ready' in one ? await one.ready : one);
      if (!(await commitWhenThereIsSpace(entries, lockLines))) return;
      for (const entry of entries) if (entry.kind === 'batch') pendingBytes -= entry.stored.length;
      for (const one of submitted) {
        if (one.index >= appender.size()) continue;
        submitted.delete(one);
        one.committed.resolve();
      }
      await gone.remove(upTo);
      await witnessing.settle();
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
    lockLines: string,
  ): Promise<boolean> => {
    for (;;) {
      try {
        await appender.commit(entries, lockLines);
        if (noSpaceSince !== null) {
          const seconds = Math.round((clock.elapsed() - noSpaceSince) / 1000);
          noSpaceSince = null;
          log('warning', `the vault has space again, after ${seconds} s; what waited is committed`);
          unsaid.push({ kind: 'disk-space', path: 'vault', seconds });
        }
        return true;
      } catch (error) {
        if (!(error instanceof VaultError) || error.code !== 'no-space') throw error;
        const plan =
          stopping === 'no' ? 'it is tried again each second' : 'they are taken after the next start';
        if (noSpaceSince === null || stopping === 'yes')
          log(
            'error',
            `${error.message}. Free space there (docs/disk-space.md says how). Nothing is lost: lines stay in ${intake}; ${plan}`,
          );
        noSpaceSince ??= clock.elapsed();
        // Nothing that comes after what was not committed may be committed either.
        if (stopping === 'yes') commitUntil = -Infinity;
        if (clock.elapsed() >= commitUntil) return false;
        await Promise.race([sleep(noSpaceRetryMs), stopped.promise]);
      }
    }
  };

  /**
   * Says that there was nothing for a minute; or lets the lock record know, which only a commit changes, that an intake
   * file is at its end which somebody waits for, or that a duty is done.
   */
  const heartbeat = (): void => {
    if (committing !== null || waiting.length > 0 || builder.openSince() !== null) return;
    const isAwaited = amender.isWaiting() && [...position.values()].some((at) => typeof at !== 'number');
    const isDone = amender.duties() !== lockedDuties;
    if (clock.elapsed() - lastCommit >= heartbeatEveryMs || isAwaited || isDone) take({ kind: 'heartbeat' });
  };

  const run = async (): Promise<void> => {
    await gone.forgetMissing();
    await gone.remove(position);
    for (;;) {
      if (fault !== null) throw fault.error;
      if (clock.elapsed() >= commitUntil) {
        await committing;
        return;
      }
      const wasStopping = stopping;
      if (!maySign && !witnessing.isWaiting()) {
        await readAhead(intake, position, witnessing.take);
        maySign = true;
      }
      const lag = witnessing.overdue();
      if (lag !== null) unsaid.push(lag);
      for (const line of unsaid.splice(0)) await builder.addSelf(line, cutBatch);
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

  /** Nobody waits for a commit that does not come. @param withinMs for what goes on beside commits */
  const end = async (withinMs: number): Promise<void> => {
    isEnding = true;
    for (const { committed } of submitted)
      committed.reject(new DOMException('the keeper ends', 'AbortError'));
    await Promise.allSettled([reader.close(), builder.close(), amender.stop(withinMs)]);
    // A fault of its last work nobody has seen yet.
    if (fault !== null) throw fault.error;
  };
  const ended = run().then(
    () => end(commitUntil - clock.elapsed()),
    async (error: unknown) => {
      await end(0).catch(() => undefined);
      throw error;
    },
  );
  ended.catch(() => undefined);
  return {
    ended,
    async stop(withinMs = Infinity) {
      if (stopping === 'no') {
        stopping = 'yes';
        amender.closing();
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
