import { isUtf8 } from 'node:buffer';

/**
 * Words of about the same length; `hex`: of digits and a to f alone. Those that are shorter than `longestGroup` are then of
 * one length, and stand packed, two digits in a byte, one right behind the other; of an odd number of digits the first
 * byte has one. All others stand as they are, each ended by LF.
 */
export type WordGroup = { length: number; hex: boolean };

/** Words of this length or longer share a group. */
export const longestGroup = 65;

/** Where in a word a text stands; it may be all of it. */
export type Place = 'anywhere' | 'begin' | 'end';

export const isPacked = ({ length, hex }: WordGroup): boolean => hex && length < longestGroup;

/** Bytes of a packed word. */
const sizeOf = ({ length }: WordGroup): number => Math.ceil(length / 2);

const LF = 0x0a;

/** How many of the bytes at the beginning are whole words. */
export const wholeWords = (group: WordGroup, bytes: Buffer): number =>
  isPacked(group) ? bytes.length - (bytes.length % sizeOf(group)) : bytes.lastIndexOf(LF) + 1;

/**
 * Adds words that have the text there.
 * @param words whole ones
 * @param text small letters and digits; of packed words hexadecimal ones
 * @returns whether all that have it are UTF-8: others are no strings
 */
export const collect = (
  group: WordGroup,
  words: Buffer,
  text: string,
  place: Place,
  found: Set<string>,
): boolean => {
  if (!isPacked(group)) return collectWritten(words, text, place, found);
  // It begins with the first digit of a byte, or with the second.
  for (const skipped of [0, 1]) collectPacked(group, words, text, skipped, place, found);
  return true;
};

const stands = (word: string, text: string, place: Place): boolean =>
  place === 'anywhere'
    ? word.includes(text)
    : place === 'begin'
      ? word.startsWith(text)
      : word.endsWith(text);

/** @param skipped digits of the text before its first whole byte */
const collectPacked = (
  group: WordGroup,
  words: Buffer,
  text: string,
  skipped: number,
  place: Place,
  found: Set<string>,
): void => {
  const size = sizeOf(group);
  // An odd digit at the end is left out.
  const wanted = Buffer.from(text.slice(skipped), 'hex');
  for (let at = words.indexOf(wanted); at >= 0 && at < words.length;) {
    const begin = at - (at % size);
    const word = words.toString('hex', begin, begin + size).slice(-group.length);
    const isThere = stands(word, text, place);
    if (isThere) found.add(word);
    at = words.indexOf(wanted, isThere ? begin + size : at + 1);
  }
};

const collectWritten = (words: Buffer, text: string, place: Place, found: Set<string>): boolean => {
  for (let at = words.indexOf(text, 0, 'latin1'); at >= 0;) {
    const begin = at === 0 ? 0 : words.lastIndexOf(LF, at - 1) + 1;
    const end = words.indexOf(LF, at);
    const isThere = place === 'anywhere' || (place === 'begin' ? at === begin : at + text.length === end);
    if (isThere) {
      const word = words.subarray(begin, end);
      if (!isUtf8(word)) return false;
      found.add(word.toString('utf8'));
    }
    // Within one word the text may stand at its end once more.
    at = words.indexOf(text, isThere ? end : at + 1, 'latin1');
  }
  return true;
};
