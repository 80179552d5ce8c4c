import { basename } from 'node:path';
import { isIntakeName } from './position.ts';

/**
 * `<name>.leave`, empty, beside an intake file: the keeper asks the receiver to go on in another file, so that this one
 * can be taken to its end and removed. The receiver looks once a second. It is the keeper's to make and to remove.
 */
export const leaveMark = (path: string): string => `${path}.leave`;

/** The intake file that a mark names; `null` for any other name. */
export const markedFile = (path: string): string | null => {
  const name = basename(path);
  if (!name.endsWith('.leave')) return null;
  const marked = name.slice(0, -'.leave'.length);
  return isIntakeName(marked) ? marked : null;
};
