import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#base/errors';
import { FixError } from './errors.ts';
import type { Fixer } from './fixer.ts';
import { openingOf, readJournal } from './journal.ts';
import { undo } from './undo.ts';

const firstPauseSeconds = 10;
const longestPauseSeconds = 300;

/**
 * Each try may restart the daemon, which others of the host may use: so the pauses double. Who may be locked out is not
 * made to wait longer.
 * @param tries how many have failed, from 1
 */
const pauseSeconds = (tries: number, losesLogin: boolean): number =>
  losesLogin ? firstPauseSeconds : Math.min(firstPauseSeconds * 2 ** (tries - 1), longestPauseSeconds);

/**
 * An undo by the guard: again and again until it could be done, and in the pauses others may undo it.
 * @param pause waits so many milliseconds
 * @returns as undo
 * @throws FixError `no-such-fix`
 */
export const undoAsGuard = async (
  fixer: Fixer,
  id: string,
  pause: (milliseconds: number) => Promise<void> = sleep,
): ReturnType<typeof undo> => {
  for (let tries = 1; ; tries += 1)
    try {
      return await undo(fixer, { id, changed: 'overwrite', by: 'guard' });
    } catch (error) {
      if (error instanceof FixError && error.code === 'no-such-fix') throw error;
      const seconds = pauseSeconds(tries, mayLoseLogin(fixer, id));
      const text = `${messageOf(error)}. Tried again in ${seconds} s`;
      await fixer.unwritten(id, { step: 'waiting', outcome: 'failed', text });
      await pause(seconds * 1000);
    }
};

const mayLoseLogin = ({ fixes }: Fixer, id: string): boolean => {
  try {
    return openingOf(readJournal(fixes, id)).plan.losesLogin;
  } catch {
    // Where the journal cannot be read, nothing is restarted, and nothing can be undone until somebody mends it.
    return false;
  }
};
