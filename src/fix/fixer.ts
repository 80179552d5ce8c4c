import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#base/clock';
import { lockFile } from '#base/file-lock';
import { formatMicros } from '#base/rfc3339';
import type { Argv } from '#advise';
import { FixError } from './errors.ts';
import type { Entry, Journal } from './journal.ts';

/** What is shown of a step. */
export type Told = Pick<Entry, 'step' | 'outcome' | 'text'>;

/** What a fix has of its surroundings. */
export type Fixer = {
  /** Directory of fixes; its own, mode 0700: backups of configuration hold passwords. */
  fixes: string;
  clock: Clock;
  /** The whole command that undoes a fix, for systemd to run. */
  undoCommand(id: string): Argv;
  /** Told of each step when it is on disk. The next step waits for it. */
  said(id: string, entry: Entry): Promise<void>;
  /** Told of a step of an undo that no journal has: it could not take it, or the undo waits. */
  unwritten(id: string, entry: Told): Promise<void>;
};

export const timeOf = ({ clock }: Fixer): string => formatMicros(clock.now());

/** Puts a step into the journal, and tells of it. */
export const step = async (fixer: Fixer, journal: Journal, entry: Omit<Entry, 'n' | 'time'>): Promise<void> =>
  fixer.said(journal.id, journal.append(entry, timeOf(fixer)));

/** One for the host, whatever state directory a fix has; who is not root changes nothing of the host. */
const lockOf = ({ fixes }: Pick<Fixer, 'fixes'>): string =>
  process.geteuid?.() === 0 ? '/run/holdfast-fix.lock' : join(fixes, 'lock');

/**
 * Does something that no other fix or undo on this host may do at the same time.
 * @throws FixError `locked`
 */
export const alone = async <Result>(
  fixer: Pick<Fixer, 'fixes'>,
  patienceMs: number,
  act: () => Promise<Result>,
): Promise<Result> => {
  mkdirSync(fixer.fixes, { recursive: true, mode: 0o700 });
  const path = lockOf(fixer);
  const lock = await lockFile(path, patienceMs);
  if (lock === null)
    throw new FixError('locked', `another fix or undo is at work on this host (${path}): wait for it`);
  try {
    return await act();
  } finally {
    lock.release();
  }
};
