import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '#base/errors';
import type { StateDirectory } from '#base/state';
import { accounts, groups } from './accounts.ts';
import { UpError } from './errors.ts';

/** Owner, group and mode of each part of the state directory when root starts it. One writer each. */
const parts = (
  state: StateDirectory,
): readonly { path: string; uid: number; gid: number; mode: number }[] => [
  { path: state.root, uid: 0, gid: 0, mode: 0o755 },
  // The receiver writes; the keeper reads, and removes what it has sequenced. New files get the keeper's group.
  { path: state.intake, uid: accounts.receiver.uid, gid: accounts.keeper.gid, mode: 0o2770 },
  { path: state.vault, uid: accounts.keeper.uid, gid: groups.vaultReaders, mode: 0o2750 },
  { path: state.index, uid: accounts.indexer.uid, gid: accounts.indexer.gid, mode: 0o700 },
  { path: state.keys, uid: accounts.keeper.uid, gid: accounts.keeper.gid, mode: 0o755 },
  { path: state.spool, uid: accounts.agent.uid, gid: accounts.agent.gid, mode: 0o700 },
  // Sticky: who may create sockets here may not remove another's.
  { path: state.run, uid: 0, gid: groups.runWriters, mode: 0o1771 },
];

/** What the state directory holds: nothing yet, or something that must be taken on and never made anew. */
export const isNewState = (state: StateDirectory): boolean =>
  [state.keys, state.vault].every((path) => !existsSync(path) || readdirSync(path).length === 0);

/**
 * Makes the parts of the state directory that are missing and gives each its owner and mode.
 * @throws UpError `state-unusable`
 */
export const prepareLayout = (state: StateDirectory, privileged: 'root' | 'ordinary user'): void => {
  try {
    for (const part of parts(state)) {
      mkdirSync(part.path, { recursive: true, mode: 0o700 });
      if (privileged === 'root') {
        chownSync(part.path, part.uid, part.gid);
        chmodSync(part.path, part.mode);
      }
    }
  } catch (error) {
    throw new UpError(
      'state-unusable',
      `could not prepare the state directory ${state.root}: ${messageOf(error)}. Choose another with --state DIR`,
      {
        cause: error,
      },
    );
  }
  if (privileged === 'root') assertTraversable(state.root);
};

/** @throws UpError `state-unusable` where an unprivileged process could not even reach the state directory. */
const assertTraversable = (path: string): void => {
  const closed = closedParent(path);
  if (closed === null) return;
  throw new UpError(
    'state-unusable',
    `the processes of Holdfast run without root's privileges and cannot reach ${path}: ${closed} is closed to others. ` +
      'Choose a state directory elsewhere with --state DIR (default /var/lib/holdfast)',
  );
};

/** The first directory on the way to `path` that others may not pass through, or `null`. */
export const closedParent = (path: string): string | null => {
  for (let at = path; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return at;
    if (at === dirname(at)) return null;
  }
};
