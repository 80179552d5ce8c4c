import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Micros } from '#base/clock';
import { messageOf, systemCode } from '#base/errors';
import { letGo } from '#base/let-go';
import { openCheckpoint, parseCheckpoint, parseVkey, type Checkpoint } from '#vault/checkpoint';
import type { LineProof } from '#vault/prove';
import {
  decompressBeside,
  decompressSegment,
  inclusionPath,
  parseEntry,
  parseSegment,
  isAmendment,
  saltSize,
  segmentLeaves,
  segmentPath,
  sha256,
  tileWidth,
  treeRoot,
  type BatchEntry,
  type Entry,
  type ExpireEntry,
  type Segment,
} from '#vault/tree';
import { VaultError } from '../errors.ts';
import { amendmentsOf, listAmendments, type Amended, type Amendments } from './amended.ts';
import { keptTiles, openTiles, type Tiles } from '#vault/tiles';
import { openWitnessed } from './witnessed.ts';

/** An entry that is under the checkpoint's root. */
export type OuterEntry = { index: number; entry: Entry; bytes: Buffer };

/** The lines of one batch. `#vault/record` decodes them. */
export type Batch = {
  /** Index of the outer entry. */
  entry: number;
  committed: Micros;
} & Segment;

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
   * @throws VaultError `not-found` if the entry is no batch, `expired`, `expected-more`, `corrupt`
   */
  batch(entry: number, verify?: 'hash' | 'root'): Batch;
  /**
   * As `batch`, unpacked in a thread of the pool: for whoever has other work meanwhile. Its memory is its own, and may be given
   * away.
   */
  batchBeside(entry: number): Promise<Batch>;
  /**
   * Checks the segment of a batch against length and hash in its outer entry, as `batch` does, and unpacks nothing.
   * @throws VaultError as `batch`
   */
  check(entry: number): void;
  /**
   * All that shows that a line is in the log, under the newest checkpoint that witnesses cosigned where that has it,
   * else under the newest.
   * @throws VaultError as `batch`; `not-found` if the batch has no such line; `redacted`
   */
  prove(entry: number, line: number): LineProof;
  /**
   * What the entries under the newest checkpoint say of batches that came before: expiry, holds, redactions, keys.
   * @throws VaultError `corrupt`
   */
  amendments(): Amendments;
};

/**
 * Opens a vault for reading. Nothing is written, and a keeper may be at work in it.
 * @param vkey text of the public key; without it the signature of the checkpoint is not checked. A function is asked again
 *   when a checkpoint is not signed by the key that it gave before: the log's key may have been replaced
 * @param amendments the list of amendments, asked for at each new checkpoint; left out: `vault/amendments`, which is
 *   under no signature
 */
export const openVault = (
  vault: string,
  { vkey, amendments: readList }: { vkey?: string | (() => string); amendments?: () => Buffer } = {},
): VaultReader => {
  const readKey = typeof vkey === 'function' ? vkey : null;
  const given = readKey === null ? vkey : readKey();
  let key = typeof given === 'string' ? parseVkey(given) : null;
  const file = join(vault, 'checkpoint');
  type Seen = {
    stamp: string;
    checkpoint: Checkpoint;
    tiles: Tiles | null;
    amendments: Amendments | null;
  };
  let seen: Seen | null = null;
  /** Amendments by the index of their entry: an entry never changes. */
  const read = new Map<number, Amended>();
  const kept = keptTiles();

  const opened = (note: Buffer): Checkpoint => {
    if (key === null) return parseCheckpoint(note);
    try {
      return openCheckpoint(note, key);
    } catch (error) {
      if (readKey === null) throw error;
      key = parseVkey(readKey());
      return openCheckpoint(note, key);
    }
  };

  const newest = (): Seen | null => {
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
    const checkpoint = blame(file, () => opened(note));
    seen = { stamp, checkpoint, tiles: null, amendments: null };
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

  const amendments = (): Amendments => {
    const found = newest();
    if (found === null) return amendmentsOf([]);
    if (found.amendments !== null) return found.amendments;
    const { size } = found.checkpoint;
    const indices = blame('amendments', () => listAmendments(vault, readList)).filter(
      (index) => index < size,
    );
    readAmended(indices.filter((index) => !read.has(index)));
    found.amendments = amendmentsOf(indices.flatMap((index) => read.get(index) ?? []));
    return found.amendments;
  };

  /** A bundle once, however many of its entries are asked for. @param indices ascending */
  const readAmended = (indices: readonly number[]): void => {
    for (const some of Map.groupBy(indices, (index) => Math.floor(index / tileWidth)).values()) {
      const [first = 0, last = first] = [some[0], some.at(-1)];
      const wanted = new Set(some);
      for (const { index, entry } of entries(first, last + 1)) {
        if (!wanted.has(index)) continue;
        if (!isAmendment(entry))
          throw new VaultError('corrupt', `amendments names entry ${index}, which is none`);
        read.set(index, { index, entry });
      }
    }
  };

  /** The stored bytes that count now; they must be what the newest entry about them says. */
  const stored = (index: number, entry: BatchEntry): Buffer => {
    const amended = amendments();
    const redaction = amended.redaction(index);
    const { length, sha256: expected } = redaction?.entry.segment ?? entry.segment;
    const path = segmentPath(index, redaction?.index);
    const bytes = blame(path, () => readIfThere(join(vault, path)));
    if (bytes === null) {
      const expiry = amended.expiry(index, entry);
      if (expiry !== null) throw expired(index, expiry);
      throw new VaultError('corrupt', `${path} is missing. Run "holdfast vault verify"`);
    }
    if (bytes.length !== length || !sha256(bytes).equals(expected)) throw changed(path, index);
    return bytes;
  };

  /** A keeper may have published a redaction between the look at its entry and at its file: then it is looked at again. */
  const storedNow = (index: number, entry: BatchEntry): Buffer => {
    const before = newest()?.checkpoint.size;
    try {
      return stored(index, entry);
    } catch (error) {
      if (newest()?.checkpoint.size === before) throw error;
      return stored(index, entry);
    }
  };

  const batch = (index: number, verify: 'hash' | 'root' = 'hash'): Batch => {
    const { entry } = one(index);
    const bytes = storedNow(index, entry);
    const found = parsed(
      index,
      entry,
      blame(segmentPath(index), () => decompressSegment(bytes)),
    );
    if (verify === 'root' && !treeRoot(segmentLeaves(found)).equals(entry.root))
      throw changed(segmentPath(index), index);
    return found;
  };

  const parsed = (index: number, entry: BatchEntry, bytes: Buffer): Batch => {
    const path = segmentPath(index);
    const segment = blame(path, () => parseSegment(bytes));
    if (segment.lineCount !== entry.lines) throw changed(path, index);
    return { entry: index, committed: entry.committed, ...segment };
  };

  return {
    checkpoint: () => newest()?.checkpoint ?? null,
    entries,
    amendments,
    batch,
    async batchBeside(index) {
      const { entry } = one(index);
      const compressed = storedNow(index, entry);
      const bytes = await decompressBeside(compressed)
        .catch((error: unknown) =>
          blame(segmentPath(index), () => {
            throw error;
          }),
        )
        .finally(() => letGo(compressed));
      return parsed(index, entry, bytes);
    },
    check(index) {
      storedNow(index, one(index).entry);
    },
    prove(index, line) {
      const { bytes } = one(index);
      const found = batch(index, 'root');
      const { lineCount, records, offsets, salts } = found;
      if (line < 0 || line >= lineCount)
        throw new VaultError('not-found', `entry ${index} has lines 0 to ${lineCount - 1}, no line ${line}`);
      if (found.redacted.has(line))
        throw new VaultError(
          'redacted',
          `line ${line} of entry ${index} was taken out (${redactedBy(amendments().all(), index, line)}): only its leaf hash is left`,
        );
      const published = tilesFor(index + 1);
      const { checkpoint, tiles } = openWitnessed(vault, index, published.checkpoint, key) ?? published;
      return {
        index,
        line,
        lineCount,
        record: records.subarray(offsets[line], offsets[line + 1]),
        salt: salts.subarray(line * saltSize, (line + 1) * saltSize),
        innerPath: inclusionPath(segmentLeaves(found), line),
        entry: bytes,
        outerPath: tiles.inclusionPath(index),
        checkpoint: checkpoint.note,
      };
    },
  };
};

const readIfThere = (path: string): Buffer | null => {
  try {
    return readFileSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
};

const expired = (batch: number, { index, entry }: Amended<ExpireEntry>): VaultError =>
  new VaultError(
    'expired',
    `the lines of entry ${batch} were removed under expire entry ${index} (${entry.policy}, by ${entry.by})`,
  );

const redactedBy = (all: readonly Amended[], batch: number, line: number): string => {
  const found = all.find(
    ({ entry }) => entry.kind === 'redact' && entry.target.entry === batch && entry.target.line === line,
  );
  return found?.entry.kind === 'redact'
    ? `redact entry ${found.index}, by ${found.entry.by}: ${found.entry.reason}`
    : 'by no entry that is named';
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
