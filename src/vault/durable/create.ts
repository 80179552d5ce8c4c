import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/**
 * Who is to own what is made; `null` for whoever makes it. Where no group is named, it is what the directory's
 * set-group-id bit gives; an account's own group (`gid`) is not meant by that.
 */
export type Owner = { uid: number; group?: number } | null;

const sameGroup = -1;

/** Where the bytes of a file are until they are whole. */
export const unfinishedPath = (path: string): string => `${path}.new`;

/**
 * For the making of a vault, before there is anything to lose: creates the file, where the caller has seen that there
 * is none. It is at its place only when it is whole, durable and its owner's, with this mode whatever the umask. Order
 * of system calls: open `<path>.new`, fchown, fchmod, write, fsync, rename to the path, fsync of the directory.
 * @throws system errors
 */
export const createFile = (path: string, bytes: Uint8Array, mode: number, owner: Owner): void => {
  const unfinished = unfinishedPath(path);
  const file = openSync(unfinished, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
  try {
    if (owner !== null) fchownSync(file, owner.uid, owner.group ?? sameGroup);
    fchmodSync(file, mode);
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(unfinished, path);
  syncDirectory(dirname(path));
};

/** Creates the directory, which must not exist. @throws system errors */
export const createDirectory = (path: string, mode: number, owner: Owner): void => {
  mkdirSync(path, { mode });
  if (owner !== null) lchownSync(path, owner.uid, owner.group ?? sameGroup);
  const special = lstatSync(path).mode & 0o7000;
  chmodSync(path, mode | special);
  syncDirectory(path);
  syncDirectory(dirname(path));
};

/** Creates an empty file, which is whole as soon as it is there. @throws system errors */
export const createMark = (path: string): void => {
  closeSync(openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o644));
  syncDirectory(dirname(path));
};

/** @throws system errors, but for a file that is not there */
export const removeFile = (path: string): void => {
  rmSync(path, { force: true });
  syncDirectory(dirname(path));
};

export const syncDirectory = (path: string): void => {
  const directory = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
};
