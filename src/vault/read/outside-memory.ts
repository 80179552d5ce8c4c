import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, systemCode } from '#base/errors';
import {
  maxNote,
  openCheckpoint,
  openCosignature,
  parseCheckpoint,
  parseVkey,
  parseWitnessVkey,
  type Checkpoint,
} from '#vault/checkpoint';
import { openTiles, readVaultFile, type Tiles } from '#vault/tiles';
import { parseEntry, tileWidth, witnessedPath } from '#vault/tree';

/** What those outside remember of a vault, as far as it lies on this machine. */
export type OutsideMemory =
  | {
      kind: 'contained';
      /** Of the newest checkpoint that witnesses have cosigned, and of the newest there is. */
      size: number;
      newest: number;
      /** The known witnesses that cosigned it, and when, in seconds since 1970; one at least. */
      by: { name: string; seconds: number }[];
      /** Whether the keeper has begun unwitnessed since that checkpoint. @throws VaultError, VaultFormatError */
      beganUnwitnessed(): boolean;
    }
  /** Somebody remembers what this log does not contain. */
  | { kind: 'contradicted'; why: string }
  | { kind: 'none'; why: string };

export type OutsideMemoryOptions = {
  vault: string;
  keys: string;
  /** Text of the log's key in force; `null` where it cannot be read: then nothing is known to be contained. */
  vkey: string | null;
  /** Texts of the keys of the witnesses to believe. */
  witnesses: readonly string[];
};

/** Reads what the keeper was convicted by, if it was, and what witnesses have cosigned. Throws for nothing that it finds. */
export const readOutsideMemory = (options: OutsideMemoryOptions): OutsideMemory => {
  // First what is remembered: a keeper at work is never behind it.
  const contradiction = readNote(options.keys, contradictionName);
  const witnessed = readNote(options.vault, witnessedPath);
  const log = openLog(options);
  const against = contradictionOf(contradiction, log);
  if (against !== null) return { kind: 'contradicted', why: against };
  if (contradiction !== null && 'why' in contradiction) return { kind: 'none', why: contradiction.why };
  return options.witnesses.length === 0
    ? { kind: 'none', why: nobodyWatches }
    : memoryOf(witnessed, log, options.witnesses);
};

/** Why there is no memory outside, where nobody was asked to have one. */
export const nobodyWatches = 'no witness is configured, so a rollback of everything would not show';

const contradictionName = 'contradiction';

type Read = { note: Buffer } | { why: string; isHidden: boolean } | null;

const readNote = (directory: string, name: string): Read => {
  try {
    const note = readVaultFile(directory, name, maxNote);
    return note === null ? null : { note };
  } catch (error) {
    const cause = error instanceof Error ? error.cause : null;
    return { why: messageOf(error), isHidden: systemCode(cause) === 'EACCES' };
  }
};

type Log = { newest: Checkpoint; tiles: Tiles };

/** @returns why not */
const openLog = ({ vault, vkey }: OutsideMemoryOptions): Log | string => {
  if (vkey === null) return 'the public key cannot be read';
  try {
    const newest = openCheckpoint(readFileSync(join(vault, 'checkpoint')), parseVkey(vkey));
    return { newest, tiles: openTiles(vault, newest) };
  } catch {
    return 'the newest checkpoint cannot be followed';
  }
};

const contains = ({ newest, tiles }: Log, { origin, size, root }: Checkpoint): boolean =>
  origin === newest.origin && size <= newest.size && tiles.rootAt(size).equals(root);

/**
 * Why the keeper signs nothing more; `null` where nothing speaks against the log. Once it contains the note again, because
 * the newer state was restored, the keeper removes it at its next start.
 */
const contradictionOf = (read: Read, log: Log | string): string | null => {
  // Whoever could not look knows nothing.
  if (read === null || ('why' in read && read.isHidden)) return null;
  const remedy = `Nothing more is signed: restore the newer state (keys/${contradictionName} holds the note; docs/formats/witness.md)`;
  let theirs: Checkpoint;
  try {
    if ('why' in read) throw new Error(read.why);
    theirs = parseCheckpoint(read.note);
    if (typeof log !== 'string' && contains(log, theirs)) return null;
  } catch (error) {
    return `keys/${contradictionName} is there, and cannot be held against the log (${messageOf(error)}). ${remedy}`;
  }
  const { size } = theirs;
  if (typeof log === 'string') return `a witness remembers size ${size}, and ${log}. ${remedy}`;
  return size > log.newest.size
    ? `a witness remembers size ${size}, and the vault ends at ${log.newest.size}: it was put back. ${remedy}`
    : `a witness remembers another log of size ${size}, signed by the same key. ${remedy}`;
};

/**
 * A witness cosigns only what a key of the log has signed, and what the log contains the key in force vouches for: so the
 * note may be signed by a key that has been replaced since.
 */
const memoryOf = (read: Read, log: Log | string, witnesses: readonly string[]): OutsideMemory => {
  if (read === null) return { kind: 'none', why: 'no witness has cosigned yet' };
  if ('why' in read) return { kind: 'none', why: read.why };
  if (typeof log === 'string') return { kind: 'none', why: log };
  const { note } = read;
  try {
    const cosigned = parseCheckpoint(note);
    const { size, origin } = cosigned;
    if (origin !== log.newest.origin) return { kind: 'none', why: `${witnessedPath} is of another log` };
    const by = witnesses.flatMap((witness) => cosignedBy(note, witness));
    if (by.length === 0) return { kind: 'none', why: 'no witness that is known has cosigned' };
    if (contains(log, cosigned))
      return {
        kind: 'contained',
        size,
        newest: log.newest.size,
        by,
        beganUnwitnessed: () => beganUnwitnessed(log, size),
      };
    const who = by.map(({ name }) => name).join(', ');
    return {
      kind: 'contradicted',
      why:
        size > log.newest.size
          ? `${who} remembers size ${size}, and the vault ends at ${log.newest.size}: it was put back. Restore the newer state`
          : `${who} remembers another log of size ${size}. Run "holdfast vault verify"`,
    };
  } catch {
    return { kind: 'none', why: `${witnessedPath} cannot be held against the log` };
  }
};

const beganUnwitnessed = ({ newest, tiles }: Log, from: number): boolean => {
  for (let index = Math.floor(from / tileWidth); index * tileWidth < newest.size; index++)
    for (const [i, bytes] of tiles.bundle(index).entries()) {
      if (index * tileWidth + i < from) continue;
      const entry = parseEntry(bytes);
      if (entry.kind === 'restart' && entry.reason === 'unwitnessed') return true;
    }
  return false;
};

const cosignedBy = (note: Buffer, witness: string): { name: string; seconds: number }[] => {
  try {
    const vkey = parseWitnessVkey(witness);
    return [{ name: vkey.name, seconds: openCosignature(note, vkey) }];
  } catch {
    return [];
  }
};
