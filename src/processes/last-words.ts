import { setTimeout as wait } from 'node:timers/promises';
import type { Deliverer } from '#ship/delivery';

const patienceMs = 2000;

/**
 * Closes the way of a process's own lines once those who hand lines in have stopped. Whoever still waits for room after
 * two seconds (a full disk, a receiver that is away) is refused by that, and keeps what it had to say or goes without.
 */
export const closeAfter = async (stopping: Promise<unknown>, deliverer: Deliverer): Promise<void> => {
  const patience = new AbortController();
  await Promise.race([
    stopping,
    wait(patienceMs, undefined, { signal: patience.signal }).catch(() => undefined),
  ]).finally(() => patience.abort());
  await deliverer.close(500);
  await stopping;
};
