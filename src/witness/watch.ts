import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { WitnessError } from './errors.ts';
import type { Seen } from './memory.ts';
import type { Publisher, Shown } from './publisher.ts';
import type { Witness } from './witness.ts';

/**
 * - `same`: nothing new, and what is remembered was given back lately
 * - `given`: cosigned, and the publisher has it
 * - `suspicious`: does not continue what is remembered; may be a publisher between two states, and is looked at again
 * - `suspended`: the same again. Nothing is proven by it, and it may be somebody's who stands between: nothing is cosigned
 *   until a checkpoint is shown that continues what is remembered, and the publisher has what is remembered
 * - `stopped`: convicted: two notes of the log contradict each other; the publisher has the one that is remembered
 */
export type Look = 'same' | 'given' | 'suspicious' | 'suspended' | 'stopped';

/** Milliseconds after which an unchanged checkpoint is cosigned again, with a new time. */
const freshFor = 60_000;

/** Witnesses one log by asking its publisher. */
export type Watcher = {
  /** @throws WitnessError `away`, `bad-answer`, `not-stored` */
  look(): Promise<Look>;
  /** What is suspicious about the log as it was shown last; `null` where nothing is. */
  suspicion(): string | null;
};

export const openWatcher = (
  witness: Witness,
  publisher: Publisher,
  origin: string,
  clock: Pick<Clock, 'elapsed'>,
): Watcher => {
  let given: { note: Buffer; at: number } | null = null;
  let contradictionGiven = false;
  let suspicion: string | null = null;

  const giveContradiction = async (): Promise<Look> => {
    const seen = witness.seen(origin);
    if (!contradictionGiven && seen !== null) await publisher.giveContradiction(seen.note);
    contradictionGiven = true;
    return 'stopped';
  };

  /**
   * Once may be a publisher that is being replaced. Twice running is what is shown; whether the log signed less, or another
   * history, than is remembered is for its keeper to judge, each time anew: who stands between may have kept the note.
   */
  const suspect = async (why: string, remembered: Buffer): Promise<Look> => {
    const before = suspicion;
    suspicion = `${publisher.shown} ${why}`;
    if (before === null) return 'suspicious';
    try {
      await publisher.giveContradiction(remembered);
      suspicion += '. What is remembered was handed in';
    } catch (error) {
      // The alarm is worth more than a keeper that knows.
      suspicion += `. What is remembered could not be handed in: ${messageOf(error)}`;
    }
    return 'suspended';
  };

  /** What to cosign: the candidate; the newest where more than the candidate is remembered, as others may have brought it. */
  const shownAfter = async (seen: Seen | null): Promise<Shown> => {
    try {
      const candidate = await publisher.candidate();
      return candidate.head.size < (seen?.head.size ?? 0) ? await publisher.checkpoint() : candidate;
    } catch (error) {
      // A log that was put back to before a rotation shows a key that may not be known here. Its keeper is to judge.
      if (seen !== null && error instanceof WitnessError && error.code === 'bad-answer')
        await publisher.giveContradiction(seen.note).catch(() => undefined);
      throw error;
    }
  };

  return {
    suspicion: () => suspicion,
    async look() {
      if (witness.stopped(origin) !== null) return giveContradiction();
      // Before the question is asked: what others bring meanwhile must not make the answer look old.
      const seen = witness.seen(origin);
      const known = seen?.head.size ?? 0;
      const shown = await shownAfter(seen);
      const { head } = shown;
      if (seen !== null && head.size < known)
        return suspect(`shows size ${head.size}, and ${known} was cosigned already`, seen.note);
      const fresh = given !== null && clock.elapsed() - given.at < freshFor && given.note === seen?.note;
      if (fresh && head.size === known && seen?.head.root.equals(head.root) === true) {
        suspicion = null;
        return 'same';
      }
      const proof = known === 0 || known >= head.size ? [] : await publisher.consistency(known, head.size);
      const outcome = await witness.consider({ ...shown, old: known, proof });
      switch (outcome.outcome) {
        case 'cosigned':
          suspicion = null;
          await publisher.giveCosignature(outcome.seen.note);
          given = { note: outcome.seen.note, at: clock.elapsed() };
          return 'given';
        case 'fork':
        case 'stopped':
          return giveContradiction();
        case 'not-proven':
          if (suspicion !== null) await witness.suspected(origin, shown.bytes);
          return suspect(
            `shows size ${head.size}, which is not proven to continue the ${known} that was cosigned`,
            seen?.note ?? shown.bytes,
          );
        case 'stale':
          // Somebody else brought a newer one meanwhile.
          return 'suspicious';
        default:
          throw new Error(`${publisher.shown}: a verified checkpoint came out as ${outcome.outcome}`);
      }
    },
  };
};

export type Watching = {
  /** Asks no more; within a second, also where an answer is still awaited. */
  stop(): Promise<void>;
};

export type WatchOptions = {
  watcher: Watcher;
  origin: string;
  shown: string;
  /** Milliseconds between two questions. */
  every: number;
  log: OwnLog;
  /** 0 ≤ n < 1, so that many witnesses do not ask at once. */
  random: () => number;
};

const longest = 60_000;

/** Looks again and again until it is stopped. A publisher that is away is said once, and asked less and less often. */
export const startWatching = ({ watcher, origin, shown, every, log, random }: WatchOptions): Watching => {
  const ending = new AbortController();
  let failures = 0;
  let said = '';
  let suspended: 'no' | 'said' = 'no';

  const tellSuspended = (look: Look): void => {
    if (look === 'suspended' && suspended === 'no')
      log(
        'error',
        `ALARM: ${watcher.suspicion() ?? shown}. It may be the log's doing or the network's, neither is proven: nothing is cosigned for ${origin} until what is shown continues what is remembered`,
      );
    if ((look === 'given' || look === 'same') && suspended === 'said')
      log(
        'info',
        `${shown} shows again what continues the remembered checkpoint of ${origin}: cosigning goes on`,
      );
    if (look !== 'suspicious') suspended = look === 'suspended' ? 'said' : 'no';
  };

  const lookOnce = async (): Promise<number> => {
    try {
      const look = await watcher.look();
      tellSuspended(look);
      if (failures > 0) log('info', `${shown} answers again for ${origin}`);
      failures = 0;
      said = '';
      return look === 'stopped' ? longest : look === 'suspicious' ? Math.min(every, 1000) : every;
    } catch (error) {
      if (ending.signal.aborted) return 0;
      failures += 1;
      const message = `cannot witness ${origin}: ${messageOf(error)}; trying again`;
      if (message !== said) log('warning', message);
      said = message;
      return Math.min(longest, every * 2 ** Math.min(failures, 16));
    }
  };

  const loop = (async () => {
    while (!ending.signal.aborted) {
      const pause = await lookOnce();
      await wait(pause * (0.75 + random() / 2), undefined, { signal: ending.signal }).catch(() => undefined);
    }
  })();
  return {
    async stop() {
      ending.abort();
      // A publisher that does not answer must not hold the end up.
      await Promise.race([loop, wait(1000, undefined, { ref: false })]);
    },
  };
};
