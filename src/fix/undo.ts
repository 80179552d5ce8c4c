import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, systemCode } from '#base/errors';
import { notAsBefore } from './before.ts';
import { changedBefore, changedSince, putAside, putBack } from './files.ts';
import { FixError } from './errors.ts';
import { alone, step, type Fixer } from './fixer.ts';
import { guardOf } from './guard.ts';
import { healthOf } from './health.ts';
import {
  isInterrupted,
  openingOf,
  readableJournals,
  readJournal,
  readJournals,
  stateOf,
  type Backup,
  type Journal,
} from './journal.ts';
import { installAgain, stillInstalled, type KeptPackage } from './packages.ts';
import { isHandedOut, untilInside, type Inside } from './prove.ts';
import { lastWord, run } from './run.ts';

/**
 * Puts everything back as it was before a fix, restarts what must be, and looks whether the doors are as before. May be
 * begun again after it was interrupted. The caller holds the lock. What others have written into the files since is copied
 * beside the journal first.
 * @returns whether the daemon is open again as it was
 * @throws FixError `damaged` where not all files could be put back: the others are, and nothing that runs was restarted;
 *   `not-written` where the journal could not take it. Either may be begun again, also every few seconds: what is put back
 *   already is not restarted once more
 */
export const rollBack = async (fixer: Fixer, journal: Journal, why: string): Promise<boolean> => {
  const { plan, backups, packages = [], active } = openingOf(journal);
  if (stateOf(journal) === 'backed-up') {
    await lastStep(fixer, journal, {
      step: 'undone',
      outcome: 'ok',
      text: `${why}; nothing had been changed yet`,
      state: 'undone',
    });
    await guardOf(journal.id, []).disarm();
    return true;
  }
  const noRoom = await note(fixer, journal, { step: 'undo', outcome: 'begun', text: why, state: 'undoing' });
  let hasLetGo = true;
  for (const argv of plan.release) {
    const outcome = await run(argv);
    hasLetGo = outcome.status === 0;
    // Where it was interrupted before, there is nothing yet to let go.
    await note(fixer, journal, {
      step: 'release',
      outcome: outcome.status === 0 ? 'ok' : 'told',
      text: outcome.status === 0 ? argv.join(' ') : `${argv.join(' ')}: ${lastWord(outcome)}`,
    });
  }
  const wasPutBack =
    noRoom !== null &&
    changedBefore(backups).length === 0 &&
    (await stillInstalled(packages)).length === packages.length;
  const lost = [
    ...(await restore(fixer, journal, backups)),
    ...(await restorePackages(fixer, journal, packages)),
  ];
  if (lost.length > 0) {
    await startAgain(fixer, journal, active);
    throw new FixError(
      'damaged',
      `not put back: ${lost.join('; ')}. Mend that, and run it again: holdfast services undo ${journal.id}. To leave them as they are, move ${journal.directory} away`,
    );
  }
  const isAsBefore = ({ exposed }: Inside): boolean =>
    plan.doors.every(({ protocol, port }) =>
      exposed.some(
        (one) =>
          one.protocol === protocol && (one.port === port || (isHandedOut(port) && isHandedOut(one.port))),
      ),
    );
  if (noRoom !== null && wasPutBack && isAsBefore(await untilInside(plan, isAsBefore, 20_000))) {
    await startAgain(fixer, journal, active);
    throw notWritten(journal, 'the files and the doors are as before', noRoom);
  }
  const failed: string[] = [];
  for (const argv of plan.revert) {
    const outcome = await run(argv);
    if (outcome.status !== 0) failed.push(argv.join(' '));
    await note(fixer, journal, {
      step: 'restart',
      outcome: outcome.status === 0 ? 'ok' : 'failed',
      text: outcome.status === 0 ? argv.join(' ') : `${argv.join(' ')}: ${lastWord(outcome)}`,
    });
  }
  const inside = await untilInside(plan, isAsBefore, 20_000);
  const isOpen = isAsBefore(inside);
  const down = await startAgain(fixer, journal, active);
  const wrong = [
    ...(isOpen ? [] : [`${plan.service} is not open as it was`]),
    ...(down.length === 0 ? [] : [`${down.join(', ')} did not start again`]),
    ...(plan.before === undefined ? [] : await notAsBefore(plan.before)),
    ...[...(hasLetGo ? [] : [plan.release.at(-1)?.join(' ') ?? '']), ...failed].map(
      (command) => `'${command}' failed`,
    ),
  ];
  const good = wrong.length === 0;
  await lastStep(fixer, journal, {
    step: 'undone',
    outcome: good ? 'ok' : 'failed',
    text: good
      ? plan.step === 'firewalled'
        ? `the firewall's rules are gone, and ${plan.service} listens as before`
        : `${plan.service} is open as it was before`
      : `the files are as before, but ${wrong.join(', and ')}: systemctl status ${[plan.unit, ...down][0]}`,
    state: 'undone',
  });
  for (const { kept } of packages) rmSync(join(journal.directory, kept), { force: true });
  await guardOf(journal.id, []).disarm();
  return good;
};

/**
 * A step of an undo, which goes on also where the disk of the journal is full: its end alone must be on it.
 * @returns why the journal does not have it; `null` where it has
 */
const note = async (...[fixer, journal, entry]: Parameters<typeof step>): Promise<Error | null> => {
  try {
    await step(fixer, journal, entry);
    return null;
  } catch (error) {
    if (!(error instanceof Error) || systemCode(error) === null) throw error;
    await fixer.unwritten(journal.id, entry);
    return error;
  }
};

/** @throws FixError `not-written` where it is not on disk, so that the undo is begun again */
const lastStep: typeof step = async (fixer, journal, entry) => {
  const noRoom = await note(fixer, journal, entry);
  if (noRoom !== null) throw notWritten(journal, entry.text, noRoom);
};

const notWritten = (journal: Journal, done: string, cause: Error): FixError =>
  new FixError(
    'not-written',
    `all is put back that can be (${done}), but ${journal.directory} does not have it: ${messageOf(cause)}. Make room, and run it again: holdfast services undo ${journal.id}`,
    { cause },
  );

/** Every file that can be put back is. @returns what could not, and why */
const restore = async (fixer: Fixer, journal: Journal, backups: readonly Backup[]): Promise<string[]> => {
  const lost: string[] = [];
  const restored: string[] = [];
  for (const backup of backups)
    try {
      const copy = putAside(journal.directory, backup);
      if (copy !== null)
        await note(fixer, journal, {
          step: 'put aside',
          outcome: 'told',
          text: `${backup.path} was changed by somebody else since; that text is in ${copy}`,
        });
      putBack(journal.directory, backup);
      restored.push(`${backup.path} ${backup.kept === null ? 'removed' : 'as before, byte for byte'}`);
    } catch (error) {
      lost.push(`${backup.path}: ${messageOf(error)}`);
    }
  if (restored.length > 0)
    await note(fixer, journal, { step: 'restore', outcome: 'ok', text: restored.join(', ') });
  for (const text of lost) await note(fixer, journal, { step: 'restore', outcome: 'failed', text });
  return lost;
};

/** @returns why packages that were removed are not there again */
const restorePackages = async (
  fixer: Fixer,
  journal: Journal,
  packages: readonly KeptPackage[],
): Promise<string[]> => {
  if (packages.length === 0) return [];
  const why = await installAgain(journal.directory, packages);
  await note(fixer, journal, {
    step: 'install',
    outcome: why === null ? 'ok' : 'failed',
    text: why ?? `${packages.map(({ name, version }) => `${name} ${version}`).join(', ')} installed`,
  });
  return why === null ? [] : [why];
};

/** What was active before and is not any more: it gave up while the door was shut. @returns what stays down */
const startAgain = async (fixer: Fixer, journal: Journal, units: readonly string[]): Promise<string[]> => {
  const isDown = async (): Promise<string[]> =>
    [...(await healthOf(units)).states].flatMap(([unit, state]) => (state === 'active' ? [] : [unit]));
  const down = await isDown();
  if (down.length === 0) return [];
  await run(['systemctl', 'reset-failed', ...down]);
  await run(['systemctl', 'start', ...down]);
  const still = await isDown();
  await note(fixer, journal, {
    step: 'start',
    outcome: still.length === 0 ? 'ok' : 'failed',
    text: `systemctl start ${down.join(' ')}`,
  });
  return still;
};

/** Every fix that was interrupted is undone. The caller holds the lock. @returns their ids */
export const recover = async (fixer: Fixer): Promise<string[]> => {
  const recovered: string[] = [];
  for (const journal of readJournals(fixer.fixes)) {
    if (!isInterrupted(journal)) continue;
    await rollBack(fixer, journal, `it was interrupted (${stateOf(journal)}), so it is put back`);
    recovered.push(journal.id);
  }
  return recovered;
};

export type UndoRequest = {
  /** `null`: the newest that can be undone. */
  id: string | null;
  /** Also where files were changed since; what was written there since is copied beside the journal. */
  changed: 'refuse' | 'overwrite';
  /** `guard`: a unit asks, so a fix that is done is left alone. */
  by: 'operator' | 'guard';
};

/** How long the guard waits for a fix that is still at work. */
const guardPatienceMs = 10 * 60_000;

/**
 * Undoes a fix, also days later.
 * @returns its id, and whether the door is open as before; `null` where there was nothing to undo
 * @throws FixError `no-such-fix`, `changed-since`, `locked`, `damaged`
 */
export const undo = async (
  fixer: Fixer,
  { id, changed, by }: UndoRequest,
): Promise<{ id: string; good: boolean } | null> =>
  alone(fixer, by === 'guard' ? guardPatienceMs : 0, async () => {
    const journal = id === null ? newestToUndo(fixer.fixes) : readJournal(fixer.fixes, id);
    if (journal === null) throw new FixError('no-such-fix', `no fix is left to undo in ${fixer.fixes}`);
    const state = stateOf(journal);
    if (by === 'guard' && (state === 'done' || state === 'undone')) {
      await guardOf(journal.id, []).disarm();
      return null;
    }
    if (state === 'undone') throw new FixError('no-such-fix', `the fix '${journal.id}' is undone already`);
    const foreign = isInterrupted(journal) ? [] : changedSince(openingOf(journal).backups);
    if (foreign.length > 0 && by === 'operator' && changed === 'refuse')
      throw new FixError(
        'changed-since',
        `${foreign.join(', ')} ${foreign.length === 1 ? 'was' : 'were'} changed after the fix: with --overwrite what was written since is copied to ${journal.directory}, and what was before comes back`,
      );
    const why =
      by === 'operator'
        ? 'the operator asked for it'
        : isInterrupted(journal)
          ? `it was interrupted (${state})`
          : 'nobody confirmed it in time';
    return { id: journal.id, good: await rollBack(fixer, journal, why) };
  });

const newestToUndo = (fixes: string): Journal | null =>
  readableJournals(fixes).findLast((journal) => stateOf(journal) !== 'undone') ?? null;

/** @throws FixError `no-such-fix`, `locked` */
export const confirm = async (fixer: Fixer, id: string): Promise<void> =>
  alone(fixer, 0, async () => {
    const journal = readJournal(fixer.fixes, id);
    if (stateOf(journal) !== 'awaiting')
      throw new FixError(
        'no-such-fix',
        `the fix '${id}' waits for no confirmation: it is ${stateOf(journal)}`,
      );
    await step(fixer, journal, {
      step: 'confirmed',
      outcome: 'ok',
      text: 'the operator can still come in',
      state: 'done',
    });
    await guardOf(id, []).disarm();
  });
