import { chownSync, existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { openDurable } from '#vault/durable';
import { lockFile } from '#base/file-lock';
import { VaultError } from '#vault/read';
import { parseVaultPath, tilePath, tileWidth } from '#vault/tree';

/** A verification names a thousand problems at most. */
const maxRounds = 1000;

export type Restored = { files: string[] };

/**
 * Puts files of a copy in the place of those that are missing or named as wrong. What comes of it is for `verifyVault` to
 * say: nothing of the copy is believed. Holds the keeper's lock meanwhile.
 * @param verify paths in the vault that a verification names; asked again after each round, because what is put back shows
 *   what else is missing
 * @param copy an exported state directory
 * @throws VaultError `in-use` while a keeper runs; `absent` where the copy has no vault; `no-space`; system errors
 */
export const restoreFrom = async (
  { vault, keys }: { vault: string; keys: string },
  verify: () => Promise<ReadonlySet<string>>,
  copy: string,
): Promise<Restored> => {
  const from = join(copy, 'vault');
  if (!existsSync(join(from, 'checkpoint')))
    throw new VaultError('absent', `${copy} is no copy of a vault: it has no vault/checkpoint`);
  const holder = existsSync(keys) ? await lockFile(join(keys, 'keeper.lock'), 0) : null;
  if (holder === null && existsSync(keys))
    throw new VaultError('in-use', `a keeper holds ${vault}: end Holdfast first, then restore`);
  try {
    const durable = openDurable({ scratch: join(vault, 'staging') });
    await durable.makeDirectory(join(vault, 'staging'));
    const files = new Set<string>();
    for (let round = 0; round < maxRounds; round++) {
      const wrong = await verify();
      const before = files.size;
      for (const path of filesOf(from)) {
        if (files.has(path) || !isWanted(path, wrong, vault)) continue;
        await durable.write(join(vault, path), readFileSync(join(from, path)));
        ownAs(vault, path);
        files.add(path);
      }
      await durable.remove(replacedPartials(vault, from));
      if (files.size === before) break;
    }
    return { files: [...files] };
  } finally {
    holder?.release();
  }
};

/** A segment that nobody misses expired, or is the one from before a redaction: it must not come back. */
const isWanted = (path: string, wrong: ReadonlySet<string>, vault: string): boolean =>
  wrong.has(path) || (!path.startsWith('segment/') && !existsSync(join(vault, path)));

/** Files of a vault in a directory, staging left out. */
const filesOf = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => relative(directory, join(found.parentPath, found.name)))
    .filter((path) => (parseVaultPath(path)?.kind ?? 'staging') !== 'staging');

/** Partial tiles of the vault in whose place the copy has the full one. */
const replacedPartials = (vault: string, from: string): string[] =>
  filesOf(vault)
    .filter((path) => {
      const known = parseVaultPath(path);
      if (known?.kind !== 'tile' || known.tile.width === tileWidth) return false;
      const full = tilePath({ ...known.tile, width: tileWidth });
      return existsSync(join(from, full)) && !existsSync(join(from, path));
    })
    .map((path) => join(vault, path));

/** Root restores for the keeper: what it makes belongs to whom the vault belongs to. */
const ownAs = (vault: string, path: string): void => {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = lstatSync(vault);
  for (let at = join(vault, path); at !== vault; at = dirname(at)) chownSync(at, uid, gid);
};
