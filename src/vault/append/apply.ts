import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { systemCode } from '#base/errors';
import { encodeHistoryNote } from '#vault/checkpoint';
import type { Durable } from '#vault/durable';
import { parseStagingName, type Staged } from '#vault/tree';
import { VaultError } from '../errors.ts';

type Applying = { vault: string; durable: Durable; staged: Staged; note: Buffer };

/**
 * After the commit point: tiles and bundles, history, and last of all `checkpoint`. A commit and a recovery both come
 * through here, and going through it twice changes nothing.
 */
export const applyStaged = async ({ vault, durable, staged, note }: Applying): Promise<void> => {
  for (const file of staged.files) await durable.write(join(vault, file.path), file.bytes);
  const path = join(vault, staged.history.path);
  const kept = await readFile(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return Buffer.alloc(0);
    throw error;
  });
  const { offset } = staged.history;
  const added = encodeHistoryNote(note);
  if (kept.length < offset || !added.subarray(0, kept.length - offset).equals(kept.subarray(offset))) {
    throw new VaultError(
      'corrupt',
      `${path} has ${kept.length} bytes where the next checkpoint belongs at ${offset}. Restore it from a copy`,
    );
  }
  await durable.extend(path, offset, added);
  await durable.write(join(vault, 'checkpoint'), note);
};

/** Nothing in staging is needed once `checkpoint` is published, nor are partial tiles that full ones have replaced. */
export const dropStaging = async ({
  vault,
  durable,
  replaced,
}: {
  vault: string;
  durable: Durable;
  replaced: readonly string[];
}): Promise<void> => {
  for (const directory of replaced) {
    const partials = await list(join(vault, directory));
    if (partials === null) continue;
    await durable.remove(partials);
    await durable.remove([join(vault, directory)]);
  }
  const left = await list(join(vault, 'staging'));
  if (left !== null && left.length > 0) await durable.remove(left);
};

/**
 * Staged commits that never reached their commit point. They go before their segments: a bundle whose segments are
 * missing would be taken for damage, segments without a bundle are what they are.
 */
export const dropBundles = async ({ vault, durable }: { vault: string; durable: Durable }): Promise<void> => {
  const left = await list(join(vault, 'staging'));
  const bundles = (left ?? []).filter((path) => parseStagingName(basename(path)) !== null);
  if (bundles.length > 0) await durable.remove(bundles);
};

const list = async (directory: string): Promise<string[] | null> => {
  try {
    return (await readdir(directory)).map((name) => join(directory, name));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
};
