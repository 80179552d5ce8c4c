import { closeSync, constants, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * For the making of a vault, before there is anything to lose: creates the file or directory, which must not exist,
 * fsyncs it, then fsyncs the directory it is in. @throws system errors
 */
export const createFile = (path: string, bytes: Uint8Array, mode: number): void => {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  syncDirectory(dirname(path));
};

export const createDirectory = (path: string, mode: number): void => {
  mkdirSync(path, { mode });
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
