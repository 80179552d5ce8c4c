import { statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, systemCode } from '#base/errors';
import {
  parseNote,
  isBy,
  encodeHistoryNote,
  maxNote,
  openCheckpoint,
  openCosigned,
  parseCheckpoint,
  parseHistory,
  type Checkpoint,
  type Vkey,
} from '#vault/checkpoint';
import {
  amendmentsPath,
  hashSize,
  historySpan,
  indexPath,
  levelCount,
  maxAmendments,
  maxBundle,
  parseAmendments,
  tilePath,
  tileWidth,
  witnessedPath,
  type Tile,
} from '#vault/tree';
import { VaultError } from '../errors.ts';
import { readVaultFile } from './file.ts';
import { keptTiles, openTiles, type Kept, type Tiles } from './tiles.ts';

/** A vault's newest published checkpoint, and what of the vault it covers. */
export type Publication = {
  checkpoint: Checkpoint;
  /** Opened at the first use. @throws VaultError `corrupt` if the right edge does not give the checkpoint's root */
  tiles(): Tiles;
  /**
   * Bytes of a tile or bundle exactly as wide as asked, or `null` where it is not wholly covered, or not kept: a partial
   * one that was never published. One that gave way to the full one is made of that: it begins with the same bytes.
   * They were not checked against the root; whoever fetches them does.
   * @throws VaultError `corrupt` for a file that cannot be it
   */
  tile(tile: Tile): Buffer | null;
  /** Notes of a history file, as far as they are published; `null` where none is. @throws VaultError `corrupt` */
  history(index: number): { bytes: Buffer; complete: boolean } | null;
  /** Indices of amendment entries, ascending. @throws VaultError `corrupt` */
  amendments(): number[];
  /**
   * The newest checkpoint that enough witnesses cosigned, if it is one of this log; its cosignatures were not checked.
   * @throws VaultError `corrupt` for anything else
   */
  witnessed(): Checkpoint | null;
};

export type Published = {
  /**
   * What is published now; `null` where nothing is. Cheap: reads the checkpoint only when it was replaced.
   * @throws VaultError `corrupt` if the checkpoint is none, or not signed by the key
   */
  now(): Publication | null;
};

/** Bytes that a history file may have. */
const maxHistory = historySpan * (2 + maxNote);

/**
 * Opens a vault for reading what anybody may see of it. Nothing is written, and a keeper may be at work in it.
 * @param key the vault's public key, asked for whenever the checkpoint was replaced
 */
export const openPublished = (vault: string, key: () => Vkey): Published => {
  let seen: { stamp: string; publication: Publication } | null = null;
  const kept = keptTiles();

  return {
    now() {
      const file = join(vault, 'checkpoint');
      const stamp = stampOf(file);
      if (stamp === null) return null;
      if (seen?.stamp === stamp) return seen.publication;
      const note = readVaultFile(vault, 'checkpoint', maxNote);
      if (note === null) return null;
      const vkey = key();
      const checkpoint = blame(file, () => openCheckpoint(note, vkey));
      seen = { stamp, publication: publicationOf(vault, checkpoint, vkey, kept) };
      return seen.publication;
    },
  };
};

const stampOf = (file: string): string | null => {
  try {
    const { ino, mtimeNs, size } = statSync(file, { bigint: true });
    return `${ino} ${mtimeNs} ${size}`;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw new VaultError('corrupt', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
};

const publicationOf = (vault: string, checkpoint: Checkpoint, vkey: Vkey, kept: Kept): Publication => {
  const { size } = checkpoint;
  let tiles: Tiles | null = null;
  return {
    checkpoint,
    tiles: () => (tiles ??= openTiles(vault, checkpoint, kept)),
    tile(tile) {
      const { level, index, width } = tile;
      if (index * tileWidth + width > levelCount(size, level === 'entries' ? 0 : level)) return null;
      const cut = level === 'entries' ? firstEntries : firstHashes;
      const most = level === 'entries' ? maxBundle : tileWidth * hashSize;
      const exact = readVaultFile(vault, tilePath(tile), most);
      const whole = exact ?? readVaultFile(vault, tilePath({ level, index, width: tileWidth }), most);
      if (whole === null) return null;
      const bytes = cut(whole, width);
      if (bytes === null || (exact !== null && bytes.length !== exact.length))
        throw new VaultError('corrupt', `${tilePath(tile)} has not ${width} of what it is to hold`);
      return bytes;
    },
    history(index) {
      const path = `history/${indexPath(index)}`;
      if (index * historySpan > size) return null;
      const bytes = readVaultFile(vault, path, maxHistory);
      if (bytes === null) return null;
      // The last note may be of a commit that is not published yet, or half written.
      const { notes } = parseHistory(bytes);
      while (notes.length > 0 && blame(path, () => parseCheckpoint(notes.at(-1) ?? bytes)).size > size)
        notes.pop();
      const length = notes.reduce((sum, note) => sum + encodeHistoryNote(note).length, 0);
      return length === 0
        ? null
        : { bytes: bytes.subarray(0, length), complete: size >= (index + 1) * historySpan };
    },
    amendments() {
      const bytes = readVaultFile(vault, amendmentsPath, maxAmendments);
      if (bytes === null) return [];
      return blame(amendmentsPath, () => parseAmendments(bytes)).filter((entry) => entry < size);
    },
    witnessed() {
      const note = readVaultFile(vault, witnessedPath, maxNote);
      if (note === null) return null;
      // Cosigned before the log's key was replaced: there is no newer one yet.
      if (!blame(witnessedPath, () => parseNote(note)).signatures.some((one) => isBy(one, vkey))) return null;
      const found = blame(witnessedPath, () => openCosigned(note, vkey));
      if (found.size > size)
        throw new VaultError('corrupt', `${witnessedPath} is of size ${found.size}, the log has ${size}`);
      return found;
    },
  };
};

const firstHashes = (bytes: Buffer, count: number): Buffer | null =>
  bytes.length < count * hashSize ? null : bytes.subarray(0, count * hashSize);

/** (u16 length ‖ entry) × count */
const firstEntries = (bytes: Buffer, count: number): Buffer | null => {
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 2 > bytes.length) return null;
    at += 2 + bytes.readUInt16BE(at);
  }
  return at > bytes.length ? null : bytes.subarray(0, at);
};

const blame = <T>(file: string, parse: () => T): T => {
  try {
    return parse();
  } catch (error) {
    throw new VaultError('corrupt', `${file}: ${messageOf(error)}. Run "holdfast vault verify"`, {
      cause: error,
    });
  }
};
