import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Micros } from '#base/clock';
import { messageOf, systemCode } from '#base/errors';
import { openCheckpoint, parseCheckpoint, parseVkey, type Checkpoint } from '#vault/checkpoint';
import {
  batchLeaves,
  batchSalts,
  decompressSegment,
  inclusionPath,
  parseEntry,
  parseSegment,
  saltSize,
  segmentPath,
  sha256,
  tileWidth,
  treeRoot,
  type BatchEntry,
  type Entry,
} from '#vault/tree';
import { VaultError } from '../errors.ts';
import { openTiles, type Tiles } from './tiles.ts';

/** An entry that is under the checkpoint's root. */
export type OuterEntry = { index: number; entry: Entry; bytes: Buffer };

/** The lines of one batch. `#vault/record` decodes them. */
export type Batch = {
  /** Index of the outer entry. */
  entry: number;
  committed: Micros;
  /** Records, the manifest (record 0) included. */
  lineCount: number;
  key: Buffer;
  /** The records, back to back. */
  records: Buffer;
  /** Where each begins in `records`, and last where they end. */
  offsets: Uint32Array;
};

/** All that shows that one line is in the log: see docs/formats/vault.md. */
export type LineProof = {
  record: Buffer;
  salt: Buffer;
  innerPath: Buffer[];
  entry: Buffer;
  outerPath: Buffer[];
  checkpoint: Buffer;
};

export type VaultReader = {
  /**
   * The newest checkpoint, or `null` where none is published. Cheap: reads the file only when it was replaced.
   * @throws VaultError `corrupt` if it is none, or (where a key was given) not signed by it
   */
  checkpoint(): Checkpoint | null;
  /**
   * Entries from..to (exclusive), each followed up to the root of the newest checkpoint.
   * @throws VaultError `expected-more`, `corrupt`
   */
  entries(from: number, to: number): OuterEntry[];
  /**
   * The batch of an outer entry. Its segment is always checked against length and hash in the entry; `root` also
   * hashes every line again and checks the inner root.
   * @throws VaultError `not-found` if the entry is no batch, `expected-more`, `corrupt`
   */
  batch(entry: number, verify?: 'hash' | 'root'): Batch;
  /** @throws VaultError as `batch`; `not-found` if the batch has no such line */
  prove(entry: number, line: number): LineProof;
};

/**
 * Opens a vault for reading. Nothing is written, and a keeper may be at work in it.
 * @param vkey text of the public key; without it the signature of the checkpoint is not checked
 */
export const openVault = (vault: string, { vkey }: { vkey?: string } = {}): VaultReader => {
  const key = vkey === undefined ? null : parseVkey(vkey);
  const file = join(vault, 'checkpoint');
  let seen: { stamp: string; checkpoint: Checkpoint; tiles: Tiles | null } | null = null;
  const kept = new Map<string, Buffer>();

  const newest = (): NonNullable<typeof seen> | null => {
    let stamp: string;
    let note: Buffer;
    try {
      const { ino, mtimeNs, size } = statSync(file, { bigint: true });
      stamp = `${ino} ${mtimeNs} ${size}`;
      if (seen?.stamp === stamp) return seen;
      note = readFileSync(file);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return null;
      throw new VaultError('corrupt', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
    }
    const checkpoint = blame(file, () => (key === null ? parseCheckpoint(note) : openCheckpoint(note, key)));
    seen = { stamp, checkpoint, tiles: null };
    return seen;
  };

  const tilesFor = (to: number): { checkpoint: Checkpoint; tiles: Tiles } => {
    const found = newest();
    if (found === null || found.checkpoint.size < to) {
      throw new VaultError(
        'expected-more',
        `${vault} has ${found?.checkpoint.size ?? 0} entries, asked for ${to}`,
      );
    }
    found.tiles ??= openTiles(vault, found.checkpoint, kept);
    return { checkpoint: found.checkpoint, tiles: found.tiles };
  };

  const entries = (from: number, to: number): OuterEntry[] => {
    if (to <= from) return [];
    const { tiles } = tilesFor(to);
    const result: OuterEntry[] = [];
    for (let index = Math.floor(from / tileWidth); index * tileWidth < to; index++) {
      for (const [i, bytes] of tiles.bundle(index).entries()) {
        const at = index * tileWidth + i;
        if (at >= from && at < to)
          result.push({ index: at, entry: blame(`entry ${at}`, () => parseEntry(bytes)), bytes });
      }
    }
    return result;
  };

  const one = (index: number): { bytes: Buffer; entry: BatchEntry } => {
    const [found] = entries(index, index + 1);
    if (found === undefined || found.entry.kind !== 'batch')
      throw new VaultError('not-found', `entry ${index} of ${vault} is no batch of lines`);
    return { bytes: found.bytes, entry: found.entry };
  };

  const batch = (index: number, verify: 'hash' | 'root' = 'hash'): Batch => {
    const { entry } = one(index);
    const path = segmentPath(index);
    const stored = blame(path, () => readFileSync(join(vault, path)));
    if (stored.length !== entry.segment.length || !sha256(stored).equals(entry.segment.sha256))
      throw changed(path, index);
    const {
      key: batchKey,
      lineCount,
      records,
      offsets,
    } = blame(path, () => parseSegment(decompressSegment(stored)));
    if (lineCount !== entry.lines) throw changed(path, index);
    if (verify === 'root' && !treeRoot(batchLeaves(records, offsets, batchKey)).equals(entry.root))
      throw changed(path, index);
    return { entry: index, committed: entry.committed, lineCount, key: batchKey, records, offsets };
  };

  return {
    checkpoint: () => newest()?.checkpoint ?? null,
    entries,
    batch,
    prove(index, line) {
      const { bytes } = one(index);
      const { key: batchKey, lineCount, records, offsets } = batch(index, 'root');
      if (line < 0 || line >= lineCount)
        throw new VaultError('not-found', `entry ${index} has lines 0 to ${lineCount - 1}, no line ${line}`);
      const { checkpoint, tiles } = tilesFor(index + 1);
      return {
        record: records.subarray(offsets[line], offsets[line + 1]),
        salt: batchSalts(batchKey, lineCount).subarray(line * saltSize, (line + 1) * saltSize),
        innerPath: inclusionPath(batchLeaves(records, offsets, batchKey), line),
        entry: bytes,
        outerPath: tiles.inclusionPath(index),
        checkpoint: checkpoint.note,
      };
    },
  };
};

const changed = (path: string, entry: number): VaultError =>
  new VaultError('corrupt', `${path} is not what outer entry ${entry} names. Run "holdfast vault verify"`);

const blame = <T>(file: string, parse: () => T): T => {
  try {
    return parse();
  } catch (error) {
    if (error instanceof VaultError) throw error;
    throw new VaultError('corrupt', `${file}: ${messageOf(error)}. Run "holdfast vault verify"`, {
      cause: error,
    });
  }
};
