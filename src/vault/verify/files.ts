import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { parseVaultPath, type VaultFile } from '#vault/tree';
import { messageOf } from './report.ts';

/** What lies in the vault, by path. Everything about it is hostile until it has been checked. */
export type Found =
  | { path: string; file: VaultFile }
  /** What no vault has, or what could not be listed. */
  | { path: string; what: string };

/** Deeper than any path of a vault. */
const maxDepth = 12;

/**
 * Walks over what lies in a part of the vault, in order of names; one directory is in memory for each level. Follows no
 * symbolic link.
 * @param part directory, relative to the vault; `''` for all of it
 */
export function* walkVault(vault: string, part = '', depth = 0): Generator<Found> {
  let names: Dirent[];
  try {
    names = readdirSync(join(vault, part), { withFileTypes: true });
  } catch (error) {
    // A directory of partial tiles may go while a keeper is at work.
    if (!isMissing(error) || part === '')
      yield { path: part || '.', what: `cannot be listed: ${messageOf(error)}` };
    return;
  }
  names.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const name of names) {
    const path = part === '' ? name.name : `${part}/${name.name}`;
    if (name.isDirectory()) {
      if (depth < maxDepth) yield* walkVault(vault, path, depth + 1);
      else yield { path, what: 'unexpected directory' };
      continue;
    }
    const file = name.isFile() ? parseVaultPath(path) : null;
    if (file !== null) yield { path, file };
    else yield { path, what: name.isFile() ? 'unexpected file' : 'unexpected: not a regular file' };
  }
}

/** The bytes of a regular file of at most `limit` bytes; `null` if it is missing; else an error that says why not. */
export const readBounded = (path: string, limit: number): Buffer | null => {
  let file: number;
  try {
    // A FIFO must not block, and a link must not lead out of the vault.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new Error('not a regular file');
    if (stat.size > limit) throw new Error(`${stat.size} bytes, more than such a file can have`);
    const bytes = Buffer.allocUnsafeSlow(stat.size);
    let filled = 0;
    while (filled < bytes.length) {
      const read = readSync(file, bytes, filled, bytes.length - filled, filled);
      if (read === 0) break;
      filled += read;
    }
    return bytes.subarray(0, filled);
  } finally {
    closeSync(file);
  }
};

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
