import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, realpathSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createFile, removeFile, syncDirectory, unfinishedPath } from '#vault/durable';
import { FixError } from './errors.ts';

/** Owner and mode that a file is to have. */
export type Ownership = { uid: number; gid: number; mode: number };

/** Changes files of one directory, each whole or not at all; durable when it returns. */
export type Writer = {
  /** The account that it acts as; `null`: this process itself. */
  account: { uid: number; gid: number } | null;
  /** @throws FixError `not-written`, system errors */
  write(path: string, bytes: Uint8Array, ownership: Ownership): void;
  /** What is not there is no error. */
  remove(path: string): void;
  /** Takes away what a write that was interrupted has left beside the file. */
  tidy(path: string): void;
  makeDirectory(path: string): void;
  /** Leaves a directory in which something is. */
  removeDirectory(path: string): void;
};

/** Beside the file until it is whole. Daemons that read every file of a directory must not be reloaded meanwhile. */
export const unfinished = (path: string): string => `${path}.holdfast-unfinished`;

/**
 * Who writes a file safely. Where root alone can change what is on the way to it, this process does. Where a directory on
 * the way is a service's account's, it could put a link in the way at any moment: there the file is written with the
 * rights of that account, and the link leads nowhere that the account could not go itself.
 * @throws FixError `no-knob` where the path is not one of these
 */
export const writerOf = (path: string): Writer => {
  const directory = existing(dirname(path));
  const real = realpathSync(directory);
  if (real !== directory)
    throw refused(`${directory} is a link to ${real}: it is not certain whose file would be written`);
  let account: Writer['account'] = null;
  for (const one of ancestors(directory)) {
    const { uid, gid, mode } = lstatSync(one);
    const isSticky = (mode & 0o1000) !== 0;
    const isOwn = uid === 0 || uid === process.geteuid?.();
    const othersWrite = !isSticky && ((mode & 0o002) !== 0 || (isOwn && gid !== 0 && (mode & 0o020) !== 0));
    if (othersWrite) throw refused(`others than its owner can put files into ${one}`);
    if (isOwn) continue;
    if (account !== null && account.uid !== uid)
      throw refused(`${path} lies in directories of several accounts`);
    account = { uid, gid };
  }
  return account === null ? own : writerAs(account);
};

const refused = (why: string): FixError => new FixError('no-knob', `not done by itself: ${why}`);

const existing = (directory: string): string =>
  lstatSync(directory, { throwIfNoEntry: false }) === undefined ? existing(dirname(directory)) : directory;

const ancestors = (directory: string): string[] =>
  directory === dirname(directory) ? [directory] : [...ancestors(dirname(directory)), directory];

const own: Writer = {
  account: null,
  write(path, bytes, { uid, gid, mode }) {
    const beside = unfinished(path);
    own.tidy(path);
    createFile(beside, bytes, mode, { uid, group: gid });
    renameSync(beside, path);
    syncDirectory(dirname(path));
  },
  remove(path) {
    own.tidy(path);
    removeFile(path);
  },
  tidy(path) {
    rmSync(unfinished(path), { force: true });
    rmSync(unfinishedPath(unfinished(path)), { force: true });
  },
  makeDirectory(path) {
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return;
    mkdirSync(path, { mode: 0o755 });
    syncDirectory(dirname(path));
  },
  removeDirectory(path) {
    try {
      rmdirSync(path);
    } catch {
      // somebody else has put something there meanwhile, or it is gone already
    }
  },
};

const writerAs = (account: { uid: number; gid: number }): Writer => ({
  account,
  write(path, bytes, { uid, gid, mode }) {
    if (uid !== account.uid || gid !== account.gid)
      throw refused(`${path} is of ${uid}:${gid}, and lies in a directory of ${account.uid}:${account.gid}`);
    as(
      account,
      `umask 077; rm -f -- "$2"; set -C; cat > "$2"; chmod -- "$3" "$2"; sync -- "$2"
       mv -fT -- "$2" "$1"; sync -- "$(dirname -- "$1")"`,
      [path, unfinished(path), mode.toString(8)],
      bytes,
    );
  },
  remove: (path) => as(account, `rm -f -- "$1" "$2"; sync -- "$(dirname -- "$1")"`, [path, unfinished(path)]),
  tidy: (path) => as(account, `rm -f -- "$1"`, [unfinished(path)]),
  makeDirectory: (path) =>
    as(account, `[ -d "$1" ] || { mkdir -m 755 -- "$1"; sync -- "$(dirname -- "$1")"; }`, [path]),
  removeDirectory: (path) => as(account, `rmdir --ignore-fail-on-non-empty -- "$1" || [ ! -e "$1" ]`, [path]),
});

/** Runs a line of sh with the rights of an account. @throws FixError `not-written` */
const as = (
  { uid, gid }: { uid: number; gid: number },
  script: string,
  args: readonly string[],
  input: Uint8Array = new Uint8Array(),
): void => {
  const { status, stderr, error } = spawnSync(
    'setpriv',
    [
      `--reuid=${uid}`,
      `--regid=${gid}`,
      '--clear-groups',
      '--no-new-privs',
      'sh',
      '-euc',
      script,
      'sh',
      ...args,
    ],
    {
      input,
      cwd: '/',
      timeout: 30_000,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' },
    },
  );
  if (status !== 0)
    throw new FixError(
      'not-written',
      `${args[0] ?? ''} could not be written as user ${uid}: ${error?.message ?? stderr.trim()}`,
      { cause: error },
    );
};

/** Directories of a path that are not there, outermost first. */
export const missingDirectories = (directory: string): string[] =>
  lstatSync(directory, { throwIfNoEntry: false }) === undefined
    ? [...missingDirectories(dirname(directory)), directory]
    : [];

/** A name in the directory that nothing has yet. */
export const freeName = (directory: string, name: string): string => {
  for (let n = 1; ; n++) {
    const path = join(directory, `${name}-${n}`);
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return path;
  }
};
