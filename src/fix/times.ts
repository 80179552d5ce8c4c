import { usualWatchMs } from './dependents.ts';
import { FixError } from './errors.ts';
import type { Health } from './health.ts';
import type { Plan } from './plan.ts';

/** After this long, and the time for watching, systemd undoes a fix whose process was killed. */
const guardSeconds = 300;

export type Times = {
  watchMs: number;
  /** After so many seconds systemd undoes the fix, unless it is at work still or done. */
  undoneIn: number;
};

/**
 * How long to watch, and how long the guard waits. Who may be locked out waits for no watch that was not asked for, and
 * where the fix ends with the session, no longer than to confirm it.
 * @throws FixError `check-failed` where such a watch is longer than the time to confirm
 */
export const timesOf = (
  plan: Pick<Plan, 'unit' | 'use' | 'losesLogin'>,
  health: Health,
  { watchAfterMs, confirmSeconds }: { watchAfterMs: number | null; confirmSeconds: number },
): Times => {
  if (!plan.losesLogin) {
    const watchMs = watchAfterMs ?? usualWatchMs(plan, health);
    return { watchMs, undoneIn: guardSeconds + Math.ceil(watchMs / 1000) };
  }
  const watchMs = watchAfterMs ?? 0;
  if (watchMs > confirmSeconds * 1000)
    throw new FixError(
      'check-failed',
      'nothing was changed: who may be locked out would wait for the watch too: give --watch-after no more than --confirm-within',
    );
  return { watchMs, undoneIn: Math.min(guardSeconds, confirmSeconds) };
};
