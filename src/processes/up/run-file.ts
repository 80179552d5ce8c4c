import { chownSync, renameSync, writeFileSync } from 'node:fs';
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
  const temporary = `${file}.new`;
  writeFileSync(temporary, text, { mode: 0o400 });
  if (uid === 0) chownSync(temporary, accounts[reader].uid, accounts[reader].gid);
  renameSync(temporary, file);
  return file;
};
