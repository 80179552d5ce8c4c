import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine, Lane } from './engine.ts';

const lookAgainMs = 50;
/** Then the insert is tried all the same. */
const longestMs = 60_000;

/**
 * Waits until merges and searches have left half of the engine's memory. Of what runs into the bound, a merge starts again
 * by itself and a search says so; an insert that failed would have to be undone.
 * @param memory bound of the engine, bytes
 * @throws IndexError
 */
export const waitForRoom = async (engine: Pick<Engine, 'rows'>, memory: number): Promise<void> => {
  const until = performance.now() + longestMs;
  while ((await taken(engine)) > memory / 2 && performance.now() < until) await sleep(lookAgainMs);
};

const taken = async ({ rows }: Pick<Engine, 'rows'>): Promise<number> => {
  const [row] = await rows('ingest', `SELECT value FROM system.metrics WHERE metric = 'MemoryTracking'`);
  return Number(row?.['value'] ?? 0);
};

/** Beside the engine's share; what else the process takes is in memory-shares.ts. */
const mostKept = 320 * 1024 ** 2;

/**
 * Gives back to the system what the engine has freed and its allocator keeps, once the process has taken much more than
 * the engine may. @param memory bound of the engine, bytes
 */
export const giveBack = async (
  engine: Pick<Engine, 'run'>,
  memory: number,
  resident: () => number = () => process.memoryUsage.rss(),
): Promise<void> => {
  if (resident() > memory + mostKept) await purge(engine, 'ingest');
};

/** From then on it is not left to the next insert: what is left to the bound of the process is little. */
const mostTaken = 384 * 1024 ** 2;
const watchMs = 100;
/** So many looks after one come to nothing; the second, where the process did not become smaller by it. */
const restLooks = { helped: 5, inVain: 100 };

/**
 * Does the same between inserts, when merges and searches alone bring the process near its bound. In the lane of searches,
 * as an insert or a merge that is waited for may have the only connection of the others.
 * @param memory bound of the engine, bytes
 * @returns ends it
 */
export const watchRoom = (
  engine: Pick<Engine, 'run'>,
  memory: number,
  resident: () => number = () => process.memoryUsage.rss(),
): (() => void) => {
  let rest = 0;
  const isFull = (): boolean => resident() > memory + mostTaken;
  const look = async (): Promise<void> => {
    if (rest > 0) {
      rest -= 1;
      return;
    }
    if (!isFull()) return;
    rest = Infinity;
    await purge(engine, 'interactive');
    rest = isFull() ? restLooks.inVain : restLooks.helped;
  };
  const timer = setInterval(() => void look(), watchMs).unref();
  return () => clearInterval(timer);
};

/** An engine that was built with another allocator refuses. */
const purge = (engine: Pick<Engine, 'run'>, lane: Lane): Promise<void> =>
  engine.run(lane, 'SYSTEM JEMALLOC PURGE').catch(() => undefined);
