import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '#base/errors';
import type { StateDirectory } from '#base/state';
import { accounts, groups } from './accounts.ts';
import { UpError } from './errors.ts';

const socketDirectory = (state: StateDirectory, name: 'receiver' | 'indexer' | 'publisher'): string =>
  join(state.run, name);

/** Where processes that are not root's make their sockets; `run/own.sock` and `run/search.sock` lead there. */
export const socketsOf = (state: StateDirectory): { own: string; search: string } => ({
  own: join(socketDirectory(state, 'receiver'), basename(state.ownSocket)),
  search: join(socketDirectory(state, 'indexer'), basename(state.searchSocket)),
});

type Part = { path: string; uid: number; gid: number; mode: number };

/** Owner, group and mode of each part of the state directory when root starts it. One writer each. */
const parts = (state: StateDirectory): readonly Part[] => [
  { path: state.root, uid: 0, gid: 0, mode: 0o755 },
  // The receiver writes; the keeper reads, and removes what it has sequenced. New files get the keeper's group.
  { path: state.intake, uid: accounts.receiver.uid, gid: accounts.keeper.gid, mode: 0o2770 },
  { path: state.vault, uid: accounts.keeper.uid, gid: groups.vaultReaders, mode: 0o2750 },
  { path: state.index, uid: accounts.indexer.uid, gid: accounts.indexer.gid, mode: 0o700 },
  { path: state.keys, uid: accounts.keeper.uid, gid: accounts.keeper.gid, mode: 0o755 },
  { path: state.spool, uid: accounts.agent.uid, gid: accounts.agent.gid, mode: 0o700 },
  { path: state.feeds, uid: accounts.courier.uid, gid: accounts.courier.gid, mode: 0o700 },
  { path: state.outbox, uid: accounts.indexer.uid, gid: accounts.indexer.gid, mode: 0o700 },
  // The indexer writes; the courier reads what is to be delivered. New files get the courier's group.
  { path: state.alerts, uid: accounts.indexer.uid, gid: accounts.courier.gid, mode: 0o2750 },
  // Root's: the key that root makes here for the receiver is nobody else's to replace.
  { path: state.pki, uid: 0, gid: 0, mode: 0o755 },
  { path: join(state.pki, 'issuer'), uid: accounts.issuer.uid, gid: accounts.issuer.gid, mode: 0o700 },
  // For everybody to read.
  { path: join(state.pki, 'issued'), uid: accounts.issuer.uid, gid: accounts.issuer.gid, mode: 0o755 },
  // The receiver asks here, and the issuer answers.
  { path: join(state.pki, 'asked'), uid: accounts.issuer.uid, gid: groups.enrolling, mode: 0o2770 },
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
  // Who may search shows here who they are: they may make links, list none, and touch nobody else's.
  {
    path: join(socketDirectory(state, 'indexer'), 'readers'),
    uid: accounts.indexer.uid,
    gid: groups.searchers,
    mode: 0o1730,
  },
  {
    path: dirname(state.publishSocket),
    uid: accounts.publisher.uid,
    gid: groups.witnessing,
    mode: 0o710,
  },
];

/**
 * The parts of a vault that hold lines. Who may read the vault passes neither of these doors: no more is needed, also for
 * a vault from before there was a second group, because whoever cannot pass the directory at the top reaches nothing
 * below it, whatever group that has.
 */
const closedParts = (state: StateDirectory): readonly Part[] => [
  // New directories in it get its group by its set-group-id bit.
  { path: join(state.vault, 'segment'), uid: accounts.keeper.uid, gid: groups.segmentReaders, mode: 0o2750 },
  // Segments are written here before they are put in their place, and so are tiles: these have to come out with the
  // group of those who may read the vault, so the directory keeps that group and is closed by its mode.
  { path: join(state.vault, 'staging'), uid: accounts.keeper.uid, gid: groups.vaultReaders, mode: 0o2700 },
];

/** All that is prepared, with owner and mode; what is named by deploy/tmpfiles.d has to be the same. */
export const layoutOf = (state: StateDirectory): readonly Part[] => [...parts(state), ...closedParts(state)];

/** Closes what holds lines, once there is a vault. Only where `up` runs as root. @throws UpError `state-unusable` */
export const closeLines = (state: StateDirectory): void => {
  for (const part of closedParts(state).filter(({ path }) => existsSync(path)))
    preparing(state, () => own(part));
};

const own = ({ path, uid, gid, mode }: Part): void => {
  chownSync(path, uid, gid);
  chmodSync(path, mode);
};

/** Whether the state directory holds nothing yet; else it is taken on, and never made anew. */
export const isNewState = (state: StateDirectory): boolean =>
  [state.keys, state.vault].every((path) => readdirSync(path).length === 0);

/**
 * Makes the parts of the state directory that are missing and gives each its owner and mode.
 * @throws UpError `state-unusable`
 */
export const prepareLayout = (state: StateDirectory, privileged: 'root' | 'ordinary user'): void => {
  preparing(state, () => {
    for (const part of parts(state)) {
      mkdirSync(part.path, { recursive: true, mode: 0o700 });
      if (privileged === 'root') own(part);
    }
    if (privileged === 'root') {
      link(state.ownSocket, socketsOf(state).own);
      link(state.searchSocket, socketsOf(state).search);
    }
  });
  if (privileged === 'root') assertTraversable(state.root);
};

/**
 * The same for a host that has nothing but an agent: its spool, its key, `run/`.
 * @throws UpError `state-unusable`
 */
export const prepareAgentLayout = (
  state: StateDirectory,
  privileged: 'root' | 'ordinary user',
  files: { key: string },
): void => {
  preparing(state, () => {
    for (const part of parts(state)) {
      if (![state.root, state.spool, state.run].includes(part.path)) continue;
      mkdirSync(part.path, { recursive: true, mode: 0o700 });
      if (privileged === 'root') own(part);
    }
    if (privileged === 'root') own({ path: files.key, ...accounts.agent, mode: 0o400 });
  });
  if (privileged === 'root') assertTraversable(state.root);
};

const preparing = (state: StateDirectory, act: () => void): void => {
  try {
    act();
  } catch (error) {
    throw new UpError(
      'state-unusable',
      `could not prepare the state directory ${state.root}: ${messageOf(error)}. Choose another with --state DIR`,
      {
        cause: error,
      },
    );
  }
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
