import { parseDecimal } from './decimal.ts';
import type { TreeFile } from './edge.ts';
import { isAmendment, type Entry } from './entry.ts';
import { VaultFormatError } from './format-error.ts';

/**
 * `vault/amendments`: indices of the entries that change how others are to be read (expire, hold, release, redact,
 * key), one decimal a line, ascending. There is no such file while there is no such entry. It only says where to look:
 * the entries themselves are read through the tiles, and a verifier checks that none is left out.
 */
export const amendmentsPath = 'amendments';

/** Bytes that the file may have: some million amendments. */
export const maxAmendments = 16 * 1024 * 1024;

/** @throws VaultFormatError */
export const parseAmendments = (bytes: Buffer): number[] => {
  const lines = bytes.toString('latin1').split('\n');
  if (lines.pop() !== '' || lines.length === 0)
    throw new VaultFormatError('the list of amendments does not end with a line');
  let last = -1;
  return lines.map((line) => {
    const index = parseDecimal(line);
    if (index === null || index <= last)
      throw new VaultFormatError('the list of amendments is not one of ascending decimals');
    last = index;
    return index;
  });
};

const encodeAmendments = (indices: readonly number[]): Buffer =>
  Buffer.from(indices.map((index) => `${index}\n`).join(''));

/**
 * The file after `entries` were appended to a log of `from` entries; `null` where none of them is an amendment.
 * @param before the file as it is; empty where there is none. What it already has from `from` on, because this is being
 *   done a second time, is left out
 * @throws VaultFormatError
 */
export const growAmendments = (before: Buffer, from: number, entries: readonly Entry[]): TreeFile | null => {
  const added = entries.flatMap((entry, i) => (isAmendment(entry) ? [from + i] : []));
  if (added.length === 0) return null;
  const known = before.length === 0 ? [] : parseAmendments(before).filter((index) => index < from);
  return { path: amendmentsPath, bytes: encodeAmendments([...known, ...added]) };
};
