import { statSync } from 'node:fs';
import { join } from 'node:path';
import { IndexError } from '../errors.ts';

const everyMs = 1000;

/**
 * Tells when the directory that the engine has opened was deleted or replaced under it, looking once a second. The engine
 * then goes on with what it has open and in memory, refuses statements one by one, and cannot even empty its tables:
 * only a process that opens the directory anew can. The engine writes its file `status` once, when it opens.
 * @param path the index's directory; the engine in it is open
 * @returns `null` as long as it is there
 */
export const watchDirectory = (path: string): (() => IndexError | null) => {
  const file = join(path, 'engine', 'status');
  const opened = identityOf(file);
  let looked = performance.now();
  return () => {
    if (opened === null || performance.now() - looked < everyMs) return null;
    looked = performance.now();
    return identityOf(file) === opened
      ? null
      : new IndexError(
          'engine-gone',
          `the index at ${path} was deleted while it was open: it has to be opened anew, and is made again from the vault`,
        );
  };
};

const identityOf = (file: string): string | null => {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? null : `${found.ino} ${found.birthtimeMs}`;
};
