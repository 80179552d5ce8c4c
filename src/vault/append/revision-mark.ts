import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemCode } from '#base/errors';
import type { Durable } from '#vault/durable';
import { parseVaultPath, segmentPath } from '#vault/tree';
import type { NewEntry } from './new-entry.ts';

/**
 * A batch's segment lies where its index says, so one that never reached its commit is found by counting on. A new
 * revision lies beside an old batch, which may be anywhere: an empty file in staging/, there before it, names the batch.
 * It has the name of a write that was cut short, because that is all that it ever is to others.
 */
const markOf = (entry: number): string => `tmp-${process.pid}-revision-${entry}`;

const markPattern = /^tmp-\d+-revision-(\d{1,15})$/;

/** Before the revisions of these entries are written. */
export const markRevisions = async (
  staging: string,
  entries: readonly NewEntry[],
  durable: Durable,
): Promise<void> => {
  for (const entry of entries)
    if (entry.kind === 'redact')
      await durable.write(join(staging, markOf(entry.entry.target.entry)), Buffer.alloc(0));
};

/** Paths of revisions whose redact entry would be at `size` or later: their commit never reached its commit point. */
export const uncommittedRevisions = async (vault: string, size: number): Promise<string[]> => {
  const found: string[] = [];
  for (const name of await namesIn(join(vault, 'staging'))) {
    const match = markPattern.exec(name);
    if (match === null) continue;
    const directory = dirname(segmentPath(Number(match[1])));
    for (const file of await namesIn(join(vault, directory))) {
      const parsed = parseVaultPath(`${directory}/${basename(file)}`);
      if (parsed?.kind === 'segment' && parsed.redaction !== null && parsed.redaction >= size)
        found.push(join(vault, directory, file));
    }
  }
  return found;
};

const namesIn = async (directory: string): Promise<string[]> => {
  try {
    return await readdir(directory);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
};
