import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '#base/errors';
import type { StateDirectory } from '#base/state';
import { accounts, groups } from './accounts.ts';
import { UpError } from './errors.ts';

const socketDirectory = (state: StateDirectory, name: 'receiver' | 'indexer'): string =>
  join(state.run, name);

/** Where processes that are not root's make their sockets; `run/own.sock` and `run/search.sock` lead there. */
export const socketsOf = (state: StateDirectory): { own: string; search: string } => ({
  own: join(socketDirectory(state, 'receiver'), basename(state.ownSocket)),
  search: join(socketDirectory(state, 'indexer'), basename(state.searchSocket)),
});

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
  // Root's alone: what root writes here nobody can have turned into a link to something else.
  { path: state.run, uid: 0, gid: 0, mode: 0o755 },
  // Each socket lies in a directory of its owner; its group may pass through.
  {
    path: socketDirectory(state, 'receiver'),
    uid: accounts.receiver.uid,
    gid: groups.ownSenders,
    mode: 0o710,
  },
  { path: socketDirectory(state, 'indexer'), uid: accounts.indexer.uid, gid: groups.searchers, mode: 0o710 },
];

/** Whether the state directory holds nothing yet; else it is taken on, and never made anew. */
export const isNewState = (state: StateDirectory): boolean =>
  [state.keys, state.vault].every((path) => readdirSync(path).length === 0);

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
    if (privileged === 'root') {
      link(state.ownSocket, socketsOf(state).own);
      link(state.searchSocket, socketsOf(state).search);
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

const link = (from: string, to: string): void => {
  rmSync(from, { force: true });
  symlinkSync(to, from);
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
