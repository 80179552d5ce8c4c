import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { micros, type Micros } from '#base/clock';
import { systemCode } from '#base/errors';
import {
  maxNote,
  openCheckpoint,
  openCosignature,
  openCosigned,
  parseVkey,
  parseWitnessVkey,
  type Checkpoint,
} from '#vault/checkpoint';
import { openTiles } from '#vault/tiles';
import { witnessedPath } from '#vault/tree';

/** What witnesses that are known remember of a vault, by the newest checkpoint that they have cosigned. */
export type OutsideMemory =
  | { kind: 'contained'; size: number; by: { name: string; at: Micros }[] }
  /** The vault was put back: it is smaller than what was cosigned, or another log. */
  | { kind: 'more'; size: number }
  | { kind: 'none'; why: string };

/**
 * @param vkey text of the log's key
 * @param witnesses texts of the keys of witnesses
 */
export const readOutsideMemory = (
  vault: string,
  vkey: string,
  witnesses: readonly string[],
): OutsideMemory => {
  let note: Buffer;
  try {
    const path = join(vault, witnessedPath);
    if (statSync(path).size > maxNote) return { kind: 'none', why: `${witnessedPath} is no note` };
    note = readFileSync(path);
  } catch (error) {
    return {
      kind: 'none',
      why: systemCode(error) === 'ENOENT' ? 'no witness has cosigned yet' : `${witnessedPath} cannot be read`,
    };
  }
  let cosigned: Checkpoint;
  try {
    cosigned = openCosigned(note, parseVkey(vkey));
  } catch {
    return { kind: 'none', why: `${witnessedPath} is not signed by the key in force` };
  }
  const by = witnesses.flatMap((witness) => cosignedBy(note, witness));
  if (by.length === 0) return { kind: 'none', why: 'no witness that is known has cosigned' };
  try {
    const newest = openCheckpoint(readFileSync(join(vault, 'checkpoint')), parseVkey(vkey));
    if (newest.size < cosigned.size) return { kind: 'more', size: cosigned.size };
    const root = openTiles(vault, newest, new Map()).rootAt(cosigned.size);
    return root.equals(cosigned.root)
      ? { kind: 'contained', size: cosigned.size, by }
      : { kind: 'more', size: cosigned.size };
  } catch {
    return { kind: 'none', why: 'the newest checkpoint cannot be followed' };
  }
};

const cosignedBy = (note: Buffer, witness: string): { name: string; at: Micros }[] => {
  try {
    const vkey = parseWitnessVkey(witness);
    return [{ name: vkey.name, at: micros(openCosignature(note, vkey) * 1_000_000) }];
  } catch {
    return [];
  }
};
