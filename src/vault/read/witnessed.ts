import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { maxNote, openCosigned, parseCheckpoint, type Checkpoint, type Vkey } from '#vault/checkpoint';
import { witnessedPath } from '#vault/tree';
import { openTiles, type Tiles } from '#vault/tiles';

/**
 * The newest checkpoint that witnesses have cosigned, with its cosignatures, and the tiles under it. It is of use only
 * where it holds: `null` where there is none, or where it is not of this log, not signed by `vkey` (if given), not over
 * the entries up to `index`, or not over the tiles that are there.
 * @param newest the published checkpoint
 */
export const openWitnessed = (
  vault: string,
  index: number,
  newest: Checkpoint,
  vkey: Vkey | null,
): { checkpoint: Checkpoint; tiles: Tiles } | null => {
  try {
    const path = join(vault, witnessedPath);
    if (statSync(path).size > maxNote) return null;
    const note = readFileSync(path);
    const checkpoint = vkey === null ? parseCheckpoint(note) : openCosigned(note, vkey);
    if (checkpoint.origin !== newest.origin || checkpoint.size <= index || checkpoint.size > newest.size)
      return null;
    return { checkpoint, tiles: openTiles(vault, checkpoint) };
  } catch {
    // Whatever is the matter with it, the published checkpoint does as well.
    return null;
  }
};
