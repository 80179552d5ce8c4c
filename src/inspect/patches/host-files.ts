import { readdirSync, readFileSync, statSync, type Stats } from 'node:fs';
import { systemCode } from '#base/errors';

/**
 * Reads of host files where absence is an answer: `null` = not there. What is there and cannot be read is thrown, so
 * that the caller reports it as "could not look".
 */
const absent = new Set(['ENOENT', 'ENOTDIR']);

export const readIfThere = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (absent.has(systemCode(error) ?? '')) return null;
    throw error;
  }
};

/** Names in a directory, sorted; `[]` where it is absent. */
export const listIfThere = (directory: string): string[] => {
  try {
    return readdirSync(directory).toSorted();
  } catch (error) {
    if (absent.has(systemCode(error) ?? '')) return [];
    throw error;
  }
};

/** Names in a directory, sorted; `[]` where it is absent or may not be read: for settings that merely add to others. */
export const namesIn = (directory: string): string[] => {
  try {
    return readdirSync(directory).toSorted();
  } catch {
    return [];
  }
};

/** Follows symbolic links; `null` where there is nothing, or nothing that may be looked at. */
export const statIfThere = (path: string): Stats | null => {
  try {
    return statSync(path);
  } catch {
    return null;
  }
};
