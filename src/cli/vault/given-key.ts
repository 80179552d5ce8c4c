import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { messageOf, systemCode } from '#base/errors';
import { CliError } from '../errors.ts';

/** A key is one line; longer files are something else. */
const maxKey = 4096;

/**
 * A public key given on the command line, as text or by the name of a file that holds it.
 * @param parse throws for what is no such key
 * @returns the text of the key, and what it was parsed to
 * @throws CliError `usage` for what is neither, `could-not-look` for a file that cannot be read
 */
export const givenKey = <T>(
  flag: string,
  given: string,
  parse: (text: string) => T,
): { text: string; key: T } => {
  const file = readIfThere(flag, given);
  const text = (file ?? given).trim();
  try {
    return { text, key: parse(text) };
  } catch (error) {
    throw new CliError(
      'usage',
      file === null
        ? `${flag} takes a public key, or a file that holds one: there is no file '${given}', and it is no key itself (${messageOf(error)})`
        : `${flag}: ${given} holds no public key: ${messageOf(error)}`,
      { cause: error },
    );
  }
};

/** `null` where no file has this name. */
const readIfThere = (flag: string, path: string): string | null => {
  try {
    return readShort(path, maxKey).toString('utf8');
  } catch (error) {
    // The text of a key can have slashes, and be longer than a name.
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(systemCode(error) ?? '')) return null;
    throw new CliError('could-not-look', `${flag}: could not read ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
};

/**
 * All of a file that must be short. A pipe is read to its end.
 * @throws system errors; Error for one that is longer than `most` bytes
 */
export const readShort = (path: string, most: number): Buffer => {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    if (size > most) throw new Error(`it has ${size} bytes, more than such a file can have`);
    return readToEnd(file, most);
  } finally {
    closeSync(file);
  }
};

/** To the end of a descriptor: a pipe says only there how long it is. */
export const readToEnd = (file: number, most: number): Buffer => {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(64 * 1024);
    const read = readSync(file, chunk, 0, chunk.length, null);
    if (read === 0) return Buffer.concat(chunks);
    length += read;
    if (length > most) throw new Error(`it has more than the ${most} bytes that it can have`);
    chunks.push(chunk.subarray(0, read));
  }
};
