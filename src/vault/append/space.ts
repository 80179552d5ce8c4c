import { setTimeout as sleep } from 'node:timers/promises';
import { VaultError } from '../errors.ts';

const retryMs = 1000;

/**
 * Does it, and again each second for as long as the file system is full. A keeper that ended for that would be started again,
 * and each start adds to the log.
 * @throws AbortError; whatever else `act` throws
 */
export const withSpace = async <T>(act: () => Promise<T>, signal: AbortSignal): Promise<T> => {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof VaultError) || error.code !== 'no-space') throw error;
      await sleep(retryMs, undefined, { signal });
    }
  }
};
