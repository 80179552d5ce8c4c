import type { Clock } from '#base/clock';
import { refusals, type Refusal } from './refusal.ts';

/** How often, and how many at once, one may ask for a certificate. */
export type Attempts = {
  /** @returns why it may not now; `null`: it may, it counts, and `leave` follows */
  enter(who: string): Refusal | null;
  leave(who: string): void;
};

export type AttemptLimits = {
  /** In a minute: of one, and of all together. */
  each: number;
  all: number;
  /** At once, of all together; one may have half of them. */
  atOnce: number;
};

const minuteMs = 60_000;

/** Each attempt costs the issuer signatures, and a line in the log where it is refused. */
export const openAttempts = (
  clock: Pick<Clock, 'elapsed'>,
  { each, all, atOnce }: AttemptLimits,
): Attempts => {
  let since = clock.elapsed();
  let count = 0;
  let underWay = 0;
  const counts = new Map<string, number>();
  const present = new Map<string, number>();
  return {
    enter(who) {
      if (clock.elapsed() - since >= minuteMs) {
        since = clock.elapsed();
        count = 0;
        counts.clear();
      }
      const own = counts.get(who) ?? 0;
      if (own >= each || count >= all) return refusals.tooOften;
      const ownNow = present.get(who) ?? 0;
      if (underWay >= atOnce || ownNow >= atOnce / 2) return refusals.noMemory;
      counts.set(who, own + 1);
      count += 1;
      present.set(who, ownNow + 1);
      underWay += 1;
      return null;
    },
    leave(who) {
      underWay -= 1;
      const ownNow = (present.get(who) ?? 0) - 1;
      if (ownNow > 0) present.set(who, ownNow);
      else present.delete(who);
    },
  };
};
