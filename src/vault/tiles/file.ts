import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, systemCode } from '#base/errors';
import { VaultError } from '../errors.ts';

/**
 * A file of a vault, whole; `null` where there is none. Links are not followed, and what is no file is none of ours.
 * @param path relative to the vault
 * @param most bytes that it may have
 * @throws VaultError `corrupt`
 */
export const readVaultFile = (vault: string, path: string, most: number): Buffer | null => {
  const file = join(vault, path);
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return null;
    throw new VaultError('corrupt', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile()) throw new VaultError('corrupt', `${file} is no file. Run "holdfast vault verify"`);
    if (found.size > most)
      throw new VaultError('corrupt', `${file} has ${found.size} bytes, ${most} is the most`);
    const bytes = Buffer.allocUnsafe(found.size);
    let length = 0;
    while (length < bytes.length) {
      const read = readSync(descriptor, bytes, length, bytes.length - length, length);
      if (read === 0) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
};
