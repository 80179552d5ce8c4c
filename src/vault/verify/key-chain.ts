import {
  formatVkey,
  isSigned,
  openCheckpoint,
  parseNote,
  type Checkpoint,
  type Vkey,
} from '#vault/checkpoint';
import { historySpan, parseEntry, tileWidth, type KeyEntry } from '#vault/tree';
import type { History, KeptCheckpoint } from './history.ts';
import type { Findings, Keys } from './report.ts';
import type { RootedTiles } from './rooted.ts';
import type { Amended } from './scan.ts';
import { keysOf } from './signers.ts';

type Chain = {
  given: Vkey;
  keyEntries: readonly Amended<KeyEntry>[];
  target: Checkpoint;
  history: History;
  tiles: RootedTiles;
  findings: Findings;
};

/**
 * Follows the keys from the given one to the one that signed the target, without going over all of the log. A step
 * holds where the checkpoint that covers the key entry is signed by the key before and the new one, and its root is the
 * one that this log had at its size: then the key before has vouched for the entry.
 */
export const followKeys = ({ given, keyEntries, target, history, tiles, findings }: Chain): Keys => {
  const keys = { given: given.keyId.toString('hex'), replaced: keyEntries.length, uncheckedTo: null };
  const later = keysOf(given, keyEntries).slice(1);
  const steps = keyEntries.slice(keyEntries.length - later.length);
  let current = given;
  for (const [i, vkey] of later.entries()) {
    if (isBy(target, current)) break;
    const step = steps[i];
    const fault =
      step === undefined ? 'no entry names it' : stepFault(step, current, vkey, { history, tiles });
    if (fault !== null) {
      const what = `changed: nothing leads from key ${keys.given} to the one that signed it: ${fault}`;
      findings.add({ file: 'checkpoint', what });
      return { ...keys, inForce: null };
    }
    current = vkey;
  }
  const newest = isBy(target, later.at(-1) ?? given) ? (later.at(-1) ?? given) : current;
  return { ...keys, inForce: formatVkey(newest.name, newest.publicKey) };
};

const isBy = ({ note }: Checkpoint, vkey: Vkey): boolean => {
  try {
    openCheckpoint(note, vkey);
    return true;
  } catch {
    return false;
  }
};

const stepFault = (
  { index, entry }: Amended<KeyEntry>,
  before: Vkey,
  next: Vkey,
  { history, tiles }: Pick<Chain, 'history' | 'tiles'>,
): string | null => {
  const about = `entry ${index} replaces the key`;
  const stored = tiles.bundle(Math.floor(index / tileWidth))?.entries[index % tileWidth] ?? null;
  const isTrue = stored !== null && isKeyEntry(stored, entry.key);
  if (!isTrue) return `${about}, and cannot be followed to the root`;
  const kept = nextAfter(index, history);
  if (kept === null) return `${about}, and the history has no checkpoint that covers it`;
  const { text, signatures } = parseNote(kept.note);
  const [first, second] = signatures;
  if (
    first === undefined ||
    second === undefined ||
    !isSigned(text, first, before) ||
    !isSigned(text, second, next)
  )
    return `${about}, and the checkpoint of size ${kept.size} is not signed by the old key and the new one`;
  return tiles.rootAt(kept.size)?.equals(kept.root) === true
    ? null
    : `${about}, and the checkpoint of size ${kept.size} has another root than the entries give`;
};

const isKeyEntry = (bytes: Buffer, key: string): boolean => {
  try {
    const entry = parseEntry(bytes);
    return entry.kind === 'key' && entry.key === key;
  } catch {
    return false;
  }
};

/** The first published checkpoint that covers an entry. */
const nextAfter = (entry: number, history: History): KeptCheckpoint | null => {
  const index = Math.floor(entry / historySpan);
  for (const at of [index, index + 1])
    for (const kept of history.file(at).bySize.values()) if (kept.size > entry) return kept;
  return null;
};
