import { chownSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StateDirectory } from '#base/state';
import { accounts, type ProcessName } from './accounts.ts';

/**
 * Writes `run/<name>` whole or not at all, readable by one process (and by who runs `up`) alone.
 * @returns its path
 */
export const writeRunFile = (
  state: StateDirectory,
  name: string,
  text: string,
  reader: ProcessName,
  uid: number,
): string => {
  const file = join(state.run, name);
  replaceFile(file, text, 0o400, uid === 0 ? accounts[reader] : null);
  return file;
};

/** Puts a new file in the place of `file`: whole or not at all, with its mode and owner from the first moment on. */
export const replaceFile = (
  file: string,
  text: string,
  mode: number,
  owner: { uid: number; gid: number } | null,
): void => {
  const temporary = `${file}.new`;
  // One that a killed `up` left behind may not be writable.
  rmSync(temporary, { force: true });
  writeFileSync(temporary, text, { mode });
  if (owner !== null) chownSync(temporary, owner.uid, owner.gid);
  renameSync(temporary, file);
};
