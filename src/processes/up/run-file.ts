import { chownSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StateDirectory } from '#base/state';

/** Whose a file is to be; `null`: of whoever writes it. */
export type Owner = { uid: number; gid: number } | null;

/**
 * Writes `run/<name>` whole or not at all, readable by its owner (and by root) alone.
 * @returns its path
 */
export const writeRunFile = (state: StateDirectory, name: string, text: string, owner: Owner): string => {
  const file = join(state.run, name);
  replaceFile(file, text, 0o400, owner);
  return file;
};

/** Puts a new file in the place of `file`: whole or not at all, with its mode and owner from the first moment on. */
export const replaceFile = (file: string, text: string, mode: number, owner: Owner): void => {
  const temporary = `${file}.new`;
  // One that a killed `up` left behind may not be writable.
  rmSync(temporary, { force: true });
  writeFileSync(temporary, text, { mode });
  if (owner !== null) chownSync(temporary, owner.uid, owner.gid);
  renameSync(temporary, file);
};
