import { closeSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isForbidden, messageOf, systemCode } from '#base/errors';
import type { StateDirectory } from '#base/state';
import { CliError } from '../errors.ts';

/**
 * Looks whether there is a vault that this user may look at. That there is none is said only where that was seen.
 * @throws CliError `could-not-look`
 */
export const assertVault = (state: StateDirectory): void => {
  looking(state, state.vault, () => readdirSync(state.vault));
};

/**
 * As `assertVault`, and its checkpoint can be read: for what begins with that.
 * @throws CliError `could-not-look`
 */
export const assertPublished = (state: StateDirectory): void => {
  assertVault(state);
  const checkpoint = join(state.vault, 'checkpoint');
  looking(state, checkpoint, () => closeSync(openSync(checkpoint, 'r')));
};

/**
 * As `assertPublished`, for what is to say itself that the checkpoint is missing or is none.
 * @throws CliError `could-not-look`
 */
export const assertMayRead = (state: StateDirectory): void => {
  assertVault(state);
  const checkpoint = join(state.vault, 'checkpoint');
  looking(state, checkpoint, () => {
    try {
      closeSync(openSync(checkpoint, 'r'));
    } catch (error) {
      if (isForbidden(error)) throw error;
    }
  });
};

const looking = (state: StateDirectory, path: string, look: () => unknown): void => {
  try {
    look();
  } catch (error) {
    throw new CliError('could-not-look', why(state, path, error), { cause: error });
  }
};

const why = (state: StateDirectory, path: string, error: unknown): string => {
  if (isForbidden(error)) return `${path} does not let you in: ${whoMay}`;
  const code = systemCode(error);
  if (code !== 'ENOENT' && code !== 'ENOTDIR') return `could not look at ${path}: ${messageOf(error)}`;
  return path === state.vault
    ? `there is no vault in ${state.root}: name the state directory with --state`
    : `${path} is missing: "holdfast vault fsck" says what else is, and what to do`;
};

/** What somebody can do who may not look. */
export const whoMay = 'run this as root, or as the user who runs Holdfast';

/**
 * The message for what could not be done with a vault that is there: parts of it may be closed to this user.
 * @param said what is said where it is not that
 */
export const explainedFor = (error: unknown, said: string = messageOf(error)): string =>
  isForbidden(error) ? `${messageOf(error)}: ${whoMay}` : said;
