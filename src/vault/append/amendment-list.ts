import { join } from 'node:path';
import { formatListed } from '#vault/intake';
import { readVaultFile } from '#vault/tiles';
import { amendmentsPath, maxAmendments } from '#vault/tree';
import { VaultError } from '../errors.ts';

/**
 * The list of amendments as it is on disk, if it is the one that the newest commit left: a shorter one would hide a
 * legal hold.
 * @param listed the line of the lock record that names the list (`splitListed`); empty where there is to be none
 * @returns its bytes; empty where there is none
 * @throws VaultError `corrupt`
 */
export const readListed = (vault: string, listed: string): Buffer => {
  const list = readVaultFile(vault, amendmentsPath, maxAmendments) ?? Buffer.alloc(0);
  const found = formatListed(list);
  if (found === listed) return list;
  throw new VaultError(
    'corrupt',
    `${join(vault, amendmentsPath)} is not the list that keys/lock remembers (found: ${shown(found)}; remembered: ${shown(listed)}): ` +
      'a legal hold may be missing from it. Nothing was done. End Holdfast and put the file back: holdfast vault fsck --from COPY',
  );
};

const shown = (line: string): string => (line === '' ? 'none' : line.trim());
