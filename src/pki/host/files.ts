import {
  closeSync,
  constants,
  fchownSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf } from '#base/errors';
import { PkiError } from '../errors.ts';

/** What a host that sends has: its key, its certificate, and the authority by which it knows the server. PEM. */
export type HostFiles = { key: string; certificate: string; authority: string; enrolment: string };

export const hostFiles = (directory: string): HostFiles => ({
  key: join(directory, 'client.key'),
  certificate: join(directory, 'client.crt'),
  authority: join(directory, 'authority.crt'),
  /** JSON: where it enrolled, for the renewal. */
  enrolment: join(directory, 'enrolment.json'),
});

/**
 * Writes a file whole or not at all, and durably. One that is there keeps its owner: a daemon may own its key.
 * @throws PkiError `unusable-file`
 */
export const writeHostFile = (path: string, text: string, mode: number): void => {
  const unfinished = `${path}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    rmSync(unfinished, { force: true });
    const before = statSync(path, { throwIfNoEntry: false });
    const file = openSync(unfinished, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
    try {
      if (before !== undefined && process.geteuid?.() === 0) fchownSync(file, before.uid, before.gid);
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(unfinished, path);
  } catch (error) {
    throw new PkiError('unusable-file', `cannot write ${path}: ${messageOf(error)}`, { cause: error });
  }
};

/** @throws PkiError `unusable-file` */
export const readHostFile = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new PkiError('unusable-file', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
};
