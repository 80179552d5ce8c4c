import { formatListed, splitListed } from '#vault/intake';
import { readVaultFile } from '#vault/tiles';
import { amendmentsPath, maxAmendments } from '#vault/tree';

/**
 * Whether the list of amendments is the one of the lock record.
 * @param lines of the lock record
 * @throws VaultError `corrupt` where it cannot be read
 */
export const isListRemembered = (vault: string, lines: string): boolean => {
  const list = readVaultFile(vault, amendmentsPath, maxAmendments) ?? Buffer.alloc(0);
  return formatListed(list) === splitListed(lines).listed;
};
