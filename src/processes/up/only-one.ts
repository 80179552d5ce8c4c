import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '#base/errors';
import { lockFile, type FileLock } from '#base/file-lock';
import type { StateDirectory } from '#base/state';
import { ready } from '#wire/ready';
import { UpError } from './errors.ts';

/**
 * Makes sure that a state directory is run by one supervisor, by a lock that ends with the process.
 * @throws UpError `already-running`, `state-unusable`
 */
export const holdState = async (state: StateDirectory): Promise<FileLock> => {
  const path = join(state.run, 'up.lock');
  let lock: FileLock | null;
  try {
    lock = await lockFile(path);
  } catch (error) {
    throw new UpError('state-unusable', `could not lock ${path}: ${messageOf(error)}`, { cause: error });
  }
  if (lock !== null) return lock;
  throw new UpError(
    'already-running',
    `Holdfast is already running on ${state.root}${holder(state)}. End it first, or choose another --state`,
  );
};

/** Where it lies, the parts of the state directory belong to the users of the units (deploy/), running or not. */
export const unitsMark = (state: StateDirectory): string => join(state.root, 'run', 'units');

/**
 * To take such a state over would take it away from the units.
 * @throws UpError `already-running`
 */
export const assertNotOfUnits = (state: StateDirectory): void => {
  if (!existsSync(unitsMark(state))) return;
  throw new UpError(
    'already-running',
    `${state.root} is run by systemd units (docs/deploy.md): systemctl start holdfast.target. ` +
      'For another Holdfast beside it choose another --state',
  );
};

/** The supervisor as it gave itself in ready.json, for the message. */
const holder = (state: StateDirectory): string => {
  try {
    return ` (process ${ready.parse(JSON.parse(readFileSync(state.readyFile, 'utf8'))).supervisorPid})`;
  } catch {
    return '';
  }
};
