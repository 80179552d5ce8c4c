import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { Publisher, Shown } from './publisher.ts';
import type { Witness } from './witness.ts';

/**
 * - `same`: nothing new, and what is remembered was given back lately
 * - `given`: cosigned, and the publisher has it
 * - `suspicious`: looks like a contradiction, and may be a publisher between two states; to be looked at again
 * - `stopped`: the log contradicts itself; the publisher has the note that shows it
 */
export type Look = 'same' | 'given' | 'suspicious' | 'stopped';

/** Milliseconds after which an unchanged checkpoint is cosigned again, with a new time. */
const freshFor = 60_000;

/** Witnesses one log by asking its publisher. */
export type Watcher = {
  /** @throws WitnessError `away`, `bad-answer`, `not-stored` */
  look(): Promise<Look>;
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

  /** Once may be a publisher that is being replaced; twice running is what the log says. */
  const suspect = async (why: string, remembered: Buffer, shown: Shown): Promise<Look> => {
    const before = suspicion;
    suspicion = why;
    if (before === null) return 'suspicious';
    await witness.contradicted(origin, `${publisher.shown} ${why}`, [remembered, shown.bytes]);
    return giveContradiction();
  };

  return {
    async look() {
      if (witness.stopped(origin) !== null) return giveContradiction();
      // Before the question is asked: what others bring meanwhile must not make the answer look old.
      const seen = witness.seen(origin);
      const shown = await publisher.checkpoint();
      const { head } = shown;
      if (seen !== null && head.size < seen.head.size)
        return suspect(
          `shows size ${head.size}, and ${seen.head.size} was cosigned already`,
          seen.note,
          shown,
        );
      const known = seen?.head.size ?? 0;
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
          return suspect(
            `shows size ${head.size}, which does not continue the ${known} that was cosigned`,
            seen?.note ?? shown.bytes,
            shown,
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

  const lookOnce = async (): Promise<number> => {
    try {
      const look = await watcher.look();
      if (failures > 0) log('info', `${shown} answers again for ${origin}`);
      failures = 0;
      said = '';
      return look === 'stopped' ? longest : look === 'suspicious' ? Math.min(every, 1000) : every;
    } catch (error) {
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
