import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { formatDuties, formatListed, parseDuties } from '#vault/intake';
import { openVault, type Amended, type VaultReader } from '#vault/read';
import type { KeeperAnswer, KeeperRequest, RequestInbox, TakenRequest } from '#vault/request';
import { VaultError } from '../errors.ts';
import type { Appender } from './appender.ts';
import type { NewEntry } from './new-entry.ts';
import { readListed } from './amendment-list.ts';
import { prepareRedaction, setAsideIntake } from './redaction.ts';
import { openRemoval } from './removal.ts';
import { prepareExpiry, prepareHold, prepareRelease } from './retention.ts';
import { prepareRotation } from './rotation.ts';
import { withSpace } from './space.ts';

export type AmenderOptions = {
  appender: Appender;
  intake: string;
  clock: Clock;
  log: OwnLog;
  /** Without it nobody can ask; what earlier requests left to do is done all the same. */
  inbox: RequestInbox | null;
  /** Intake files that were begun and not removed. */
  begun(): readonly string[];
  /**
   * @returns the index that the entry has once it is committed, and when it is: rejects where the keeper ends before
   * @throws AbortError where nothing is committed any more
   */
  submit(entry: NewEntry): { index: number; committed: Promise<void> };
  step?: (what: string) => void;
};

/**
 * Does what the keeper is asked: expire, hold, release, redact, rotate the key. One request at a time, so each is judged
 * by a log that has the one before it.
 *
 * What an entry leaves to do stands in the lock record from the commit of that entry on (`duties`): its files are to be
 * removed, and its sender is to be told. So a request is done once, whatever dies when: it lies in keys/requests/ until
 * its answer is durable, and a request whose id the lock record names is answered and not done again.
 */
export type Amender = {
  /** For the lock record, with the next commit. */
  duties(): string;
  /** An intake file is waited for: what is left of it should be committed soon. */
  isWaiting(): boolean;
  /** Settles when it was stopped, or with the fault that ended it. */
  readonly ended: Promise<void>;
  /** No more requests are taken, and nothing is waited for. */
  closing(): void;
  /**
   * Ends, and breaks off what takes longer: the duties that are left stay in the lock record, and a request that is
   * not committed in keys/requests/. Nothing may be committed any more when it is called.
   */
  stop(withinMs: number): Promise<void>;
};

const pollMs = 200;
/** An answer waits this long for intake to be rid of what was taken away. */
const intakeMs = 10_000;
const retryMs = 1000;

export const startAmender = (options: AmenderOptions): Amender => {
  const { appender, intake, clock, log, inbox, begun, submit, step } = options;
  // Not the file: whoever takes a line from that would take away a legal hold.
  const reader: VaultReader = openVault(appender.vault, { amendments: () => appender.amendments() });
  const faults = step === undefined ? {} : { step };
  const removal = openRemoval({
    vault: appender.vault,
    intake,
    reader,
    begun,
    fate: appender.fate,
    ...faults,
  });
  const duties = parseDuties(appender.intake());
  /** Ends what only waits, and what goes on; the second is given the time that a stop has. */
  const waits = new AbortController();
  const works = new AbortController();
  /** Removals that wait for intake. */
  const waiting = new Set<Promise<void>>();
  let fault: { error: unknown } | null = null;

  const amendedAt = (index: number): Amended => {
    const found = reader
      .amendments()
      .all()
      .find((amended) => amended.index === index);
    if (found !== undefined) return found;
    throw new VaultError('corrupt', `the lock record names entry ${index}, which amends nothing`);
  };

  /** @returns `gone` settles when intake, too, is rid of it */
  const remove = async (index: number): Promise<{ gone: Promise<void> }> => {
    await removal.segments(amendedAt(index), works.signal);
    const gone = removal.intake(waits.signal).then(() => {
      duties.removing.delete(index);
    });
    waiting.add(gone);
    gone
      .catch((error: unknown) => {
        if (!waits.signal.aborted) fault = { error };
      })
      .finally(() => waiting.delete(gone));
    return { gone };
  };

  /** What the person who asked should know. */
  const notesOn = async (index: number, gone: Promise<void>): Promise<string[]> => {
    const patience = sleep(intakeMs, undefined, { signal: waits.signal });
    await Promise.race([gone, patience]).catch(() => undefined);
    const { entry } = amendedAt(index);
    if (entry.kind !== 'expire' && entry.kind !== 'redact') return [];
    return [
      ...removal
        .waitsFor()
        .map(
          (name) =>
            `${intake}/${name} still holds what came in with it: it is removed as soon as the receiver goes on in another file, at the latest when Holdfast starts again`,
        ),
      ...(entry.kind === 'redact' ? setAsideIntake(reader, entry, intake) : []),
    ];
  };

  const answer = (id: string, given: KeeperAnswer): Promise<void> =>
    withSpace(async () => inbox?.answer(id, given), waits.signal);

  /** Removes what the entry takes away, and answers. */
  const settle = async (id: string, index: number, before?: { gone: Promise<void> }): Promise<void> => {
    const { gone } =
      before ?? (duties.removing.has(index) ? await remove(index) : { gone: Promise.resolve() });
    await answer(id, { done: true, entry: index, notes: await notesOn(index, gone) });
    duties.answering.delete(id);
  };

  const handle = async ({ id, request }: TakenRequest): Promise<void> => {
    const known = duties.answering.get(id);
    if (known !== undefined) return settle(id, known);
    let entry: NewEntry;
    try {
      readListed(appender.vault, formatListed(appender.amendments()));
      entry = await prepare(request);
    } catch (error) {
      if (waits.signal.aborted) throw error;
      // Whatever it is, it is about this request: nothing was changed yet.
      const code = error instanceof VaultError ? error.code : 'failed';
      return answer(id, { done: false, code, message: messageOf(error) });
    }
    waits.signal.throwIfAborted();
    const { index, committed } = submit(entry);
    if (entry.kind === 'expire' || entry.kind === 'redact') duties.removing.add(index);
    duties.answering.set(id, index);
    await committed;
    log('info', `entry ${index} is the ${request.kind} that ${request.by} asked for`);
    await settle(id, index);
  };

  const prepare = async (request: KeeperRequest): Promise<NewEntry> => {
    switch (request.kind) {
      case 'expire':
        return prepareExpiry(reader, request, clock.now(), waits.signal);
      case 'hold':
        return prepareHold(reader, request);
      case 'release':
        return prepareRelease(reader, request);
      case 'redact':
        return prepareRedaction(reader, request);
      case 'rotate-key':
        return prepareRotation(appender, request);
    }
  };

  const nextRequest = async (): Promise<TakenRequest | null> => {
    try {
      return (await inbox?.next()) ?? null;
    } catch (error) {
      if (error instanceof VaultError && error.code !== 'no-space') throw error;
      log('error', `cannot look for requests: ${messageOf(error)}`);
      await sleep(retryMs, undefined, { signal: waits.signal });
      return null;
    }
  };

  const run = async (): Promise<void> => {
    await removal.clear();
    const left = new Map<number, { gone: Promise<void> }>();
    for (const index of duties.removing) left.set(index, await remove(index));
    for (const [id, index] of inbox === null ? [] : duties.answering) {
      if (await inbox?.isOpen(id)) await settle(id, index, left.get(index));
      else duties.answering.delete(id);
    }
    while (!waits.signal.aborted) {
      if (fault !== null) throw fault.error;
      const taken = await nextRequest();
      if (taken !== null) await handle(taken);
      else await sleep(pollMs, undefined, { signal: waits.signal });
    }
  };

  const ended = run().catch((error: unknown) => {
    if (!isAbort(error)) throw error;
  });
  ended.catch(() => undefined);

  return {
    duties: () => formatDuties(duties),
    isWaiting: () => waiting.size > 0,
    ended,
    closing() {
      waits.abort();
    },
    async stop(withinMs) {
      waits.abort();
      const late = setTimeout(() => works.abort(), Math.min(Math.max(0, withinMs), 2 ** 31 - 1));
      try {
        await ended;
        await Promise.allSettled(waiting);
      } finally {
        clearTimeout(late);
      }
    },
  };
};

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';
