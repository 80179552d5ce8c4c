import { micros, type Micros } from '#base/clock';
import { parseRfc3339 } from '#base/rfc3339';
import { parseDecimal, parseHash } from './decimal.ts';

/** Parsers of the values in an outer entry; each gives `null` for anything that is not the one form of its value. */

/** RFC 3339 in UTC with six decimals. */
export const parseTime = (value: string): Micros | null => {
  const parsed = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(value) ? parseRfc3339(value) : null;
  return parsed === null ? null : micros(parsed);
};

const word = /^[a-z0-9-]{1,32}$/;

export const parseWord = (value: string): string | null => (word.test(value) ? value : null);

const printableText = /^[\x20-\x7e]{1,200}$/;

/** What a person wrote: printable ASCII, 1–200 characters. */
export const isEntryText = (value: string): boolean => printableText.test(value);

export const parseText = (value: string): string | null => (isEntryText(value) ? value : null);

export type NumberAndHash = { number: number; hash: Buffer };

/** `<decimal> <hash, hex>` */
export const parseNumberAndHash = (value: string): NumberAndHash | null => {
  const [numberText = '', hashText = '', ...rest] = value.split(' ');
  const number = parseDecimal(numberText);
  const hash = parseHash(hashText);
  return number === null || hash === null || rest.length > 0 ? null : { number, hash };
};

/** `<hash, hex> <decimal>` */
export const parseHashAndNumber = (value: string): NumberAndHash | null =>
  parseNumberAndHash(value.split(' ').toReversed().join(' '));

/** `<decimal> <decimal>` */
export const parseTwoNumbers = (value: string): [number, number] | null => {
  const [first = null, second = null, ...rest] = value.split(' ').map(parseDecimal);
  return first === null || second === null || rest.length > 0 ? null : [first, second];
};
