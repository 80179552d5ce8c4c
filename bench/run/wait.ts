import { setTimeout as sleep } from 'node:timers/promises';
import { BenchError } from '../errors.ts';
import { progress } from './progress.ts';
import { cpuSeconds } from './usage.ts';

/** Asks every `everyMs` until the answer is yes. @throws BenchError `failed` after `forMs` */
export const waitUntil = async (
  what: string,
  everyMs: number,
  forMs: number,
  isSo: () => boolean | Promise<boolean>,
): Promise<void> => {
  const started = performance.now();
  while (!(await isSo())) {
    if (performance.now() - started > forMs)
      throw new BenchError('failed', `waited ${Math.round(forMs / 1000)} s for ${what}`);
    await sleep(everyMs);
  }
};

const restMs = 1500;
const twoMinutes = 120_000;

/** Waits until the processes have used next to no CPU for 1.5 s; after `longestMs` it says so and goes on. */
export const waitForRest = async (pids: readonly number[], longestMs = twoMinutes): Promise<void> => {
  const used = (): number => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const started = performance.now();
  for (let before = used(); performance.now() - started < longestMs;) {
    await sleep(restMs);
    const now = used();
    if (now - before <= 0.03) return;
    before = now;
  }
  progress(
    `the processes were not at rest after ${Math.round(longestMs / 60_000)} minutes: the figures at rest are too low`,
  );
};
