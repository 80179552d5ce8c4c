import { readFileSync, writeFileSync } from 'node:fs';
import { atExit, type CleanUp } from '../run/clean-up.ts';
import { progress } from '../run/progress.ts';
import { messageOf } from '#base/errors';

const limit = '/proc/sys/net/core/rmem_max';

/**
 * Lets sockets have a receive buffer of so many bytes (net.core.rmem_max) until `done`, or the end of the bench.
 * @returns the bytes that they can have: fewer where this user may not change it, which is said
 */
export const allowReceiveBuffer = (wanted: number): { granted: number; cleanUp: CleanUp | null } => {
  const before = Number(readFileSync(limit, 'utf8'));
  if (before >= wanted) return { granted: wanted, cleanUp: null };
  try {
    writeFileSync(limit, String(wanted));
  } catch (error) {
    progress(
      `receive buffers stay at ${before} bytes instead of ${wanted}: ${messageOf(error)}. ` +
        `Remedy: sysctl -w net.core.rmem_max=${wanted}`,
    );
    return { granted: before, cleanUp: null };
  }
  const restore = (): void => writeFileSync(limit, String(before));
  const cleanUp = atExit(restore);
  return {
    granted: wanted,
    cleanUp: {
      done() {
        restore();
        cleanUp.done();
      },
    },
  };
};
