import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { parseVaultPath, type VaultFile } from '#vault/tree';
import { messageOf, type Findings } from './report.ts';

/** The files of a vault by path, as they were listed. Everything about them is hostile until it has been checked. */
export type Listing = {
  files: Map<string, VaultFile>;
  /** Files that no vault has. */
  unexpected: { file: string; what: string }[];
};

/** Deeper than any path of a vault. */
const maxDepth = 12;

/** Lists what lies in the vault. Follows no symbolic link. */
export const listVault = (vault: string, findings: Findings): Listing => {
  const listing: Listing = { files: new Map(), unexpected: [] };
  const walk = (directory: string, depth: number): void => {
    let names;
    try {
      names = readdirSync(join(vault, directory), { withFileTypes: true });
    } catch (error) {
      // A directory of partial tiles may go while a keeper is at work.
      if (!isMissing(error) || depth === 0)
        findings.add({ file: directory || '.', what: `cannot be listed: ${messageOf(error)}` });
      return;
    }
    for (const name of names) {
      const path = directory === '' ? name.name : `${directory}/${name.name}`;
      if (name.isDirectory()) {
        if (depth < maxDepth) walk(path, depth + 1);
        else listing.unexpected.push({ file: path, what: 'unexpected directory' });
        continue;
      }
      const known = name.isFile() ? parseVaultPath(path) : null;
      if (known === null)
        listing.unexpected.push({
          file: path,
          what: name.isFile() ? 'unexpected file' : 'unexpected: not a regular file',
        });
      else listing.files.set(path, known);
    }
  };
  walk('', 0);
  return listing;
};

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
