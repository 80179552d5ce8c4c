import { lstatSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { maxNote, parseCheckpoint, parseHistory } from '#vault/checkpoint';
import { removeFile, syncDirectory, unfinishedPath } from '#vault/durable';
import { historyPath } from '#vault/tree';
import { keyFiles } from './keys.ts';

/**
 * Lies in keys/ from the first moment of a creation to its last. A key and an empty vault/ alone prove nothing: they
 * may be what somebody has restored so far. (A name that the keeper clears away at its start.)
 */
export const creationMark = (keys: string): string => join(keys, 'tmp-creating');

type Places = { vault: string; keys: string };

/**
 * Whether all that lies in these directories is the unfinished work of `createVault`: its mark is there, its last
 * file (keys/lock) is not, and nothing holds, or has ever counted, a line. Such a vault never existed, and `createVault`
 * begins again. Anything else is for a person to decide.
 */
export const isCutShortCreation = ({ vault, keys }: Places): boolean => {
  try {
    const paths = keyFiles(keys);
    if (!isFile(creationMark(keys)) || isThere(paths.lock)) return false;
    const known = [creationMark(keys), ...withUnfinished([paths.signer, paths.vkey, paths.lock])];
    const inKeys = readdirSync(keys).map((name) => join(keys, name));
    return inKeys.every((path) => known.includes(path) && isFile(path)) && isEmptyLog(vault);
  } catch {
    return false;
  }
};

/** Removes all of it but the mark. Only after `isCutShortCreation`. @throws system errors */
export const clearCutShortCreation = ({ vault, keys }: Places): void => {
  const paths = keyFiles(keys);
  for (const path of withUnfinished([join(vault, 'checkpoint'), join(vault, historyPath(0))]))
    if (isThere(path)) removeFile(path);
  // What is not empty after all stays, with everything else.
  for (const part of directories) if (isThere(join(vault, part))) rmdirSync(join(vault, part));
  if (isThere(vault)) syncDirectory(vault);
  for (const path of withUnfinished([paths.signer, paths.vkey, paths.lock])) removeFile(path);
};

const directories = ['tile', 'segment', 'history', 'staging'];

const isEmptyLog = (vault: string): boolean => {
  if (!isThere(vault)) return true;
  const history = join(vault, historyPath(0));
  const checkpoint = join(vault, 'checkpoint');
  for (const name of readdirSync(vault)) {
    const path = join(vault, name);
    if (directories.includes(name)) {
      if (!lstatSync(path).isDirectory()) return false;
      const inside = readdirSync(path).map((inner) => join(path, inner));
      if (inside.some((inner) => !withUnfinished([history]).includes(inner) || !isFile(inner))) return false;
    } else if (!withUnfinished([checkpoint]).includes(path) || !isFile(path)) return false;
  }
  return [
    isThere(checkpoint) ? isSizeZero(readFileSync(checkpoint)) : true,
    isThere(history) ? isHistoryOfZero(readFileSync(history)) : true,
  ].every(Boolean);
};

const isSizeZero = (note: Buffer): boolean => parseCheckpoint(note).size === 0;

const isHistoryOfZero = (bytes: Buffer): boolean => {
  const { notes, rest } = parseHistory(bytes);
  return rest === 0 && notes.length === 1 && notes.every(isSizeZero);
};

const withUnfinished = (paths: readonly string[]): string[] => [...paths, ...paths.map(unfinishedPath)];

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** A regular file, not longer than the longest that a creation writes. */
const isFile = (path: string): boolean => {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found !== undefined && found.isFile() && found.size <= 2 + maxNote;
};
