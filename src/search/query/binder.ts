import { addressTokensSql } from '#index';
import { addressText, isAddress, wholeAddresses, type AddressText } from './address-text.ts';
import type { NameQuestion } from './expression.ts';
import type { Value } from './tokens.ts';
import { containedPattern, hasWildcard, likePattern } from './wildcard.ts';

/** Names of senders, letter case as in the table; `many` where there are more than a statement can list. */
export type Names = (question: NameQuestion) => readonly string[] | 'many';

type BoundType = 'String' | 'Int64' | 'UInt64' | 'UInt32' | 'Float64' | 'Array(String)';

/** Holds what was typed, so that only names of parameters stand in the SQL. */
export class Binder {
  readonly parameters: Record<string, string | number | readonly string[]> = {};
  readonly regexes: { name: string; column: number }[] = [];
  private readonly names: Names;
  private readonly prefix: string;

  /** @param prefix of the parameters' names, for two in one statement */
  constructor(names: Names, prefix = 'p') {
    this.names = names;
    this.prefix = prefix;
  }

  bind(type: BoundType, value: string | number | readonly string[]): string {
    const name = this.nextName();
    this.parameters[name] = value;
    return `{${name}:${type}}`;
  }

  regex(source: string, column: number): string {
    this.regexes.push({ name: this.nextName(), column });
    return this.bind('String', source);
  }

  private nextName(): string {
    return `${this.prefix}${Object.keys(this.parameters).length}`;
  }

  /** The condition that a line's sender has one of these names. */
  sender(question: NameQuestion): string {
    const names = this.names(question);
    if (names === 'many') return questionSql(question, this);
    return names.length === 0 ? 'false' : `${question.field} IN ${this.bind('Array(String)', names)}`;
  }
}

/** The same as a condition on the column. */
export const questionSql = (question: NameQuestion, binder: Binder): string => {
  const { field } = question;
  switch (question.ask) {
    case 'network': {
      const { first, last } = question.network;
      return networkSql(field, first, last, binder);
    }
    case 'whole':
      return `${field} ILIKE ${binder.bind('String', likePattern(question.value))}`;
    case 'inside':
      return insideSql(field, question.value, binder);
  }
};

/** Whether a text is an address from `first` to `last`; a zone (`%eth0`) does not count. */
export const networkSql = (text: string, first: string, last: string, binder: Binder): string =>
  `ifNull(toIPv6OrNull(splitByChar('%', toString(${text}))[1]) BETWEEN toIPv6(${binder.bind('String', first)}) AND toIPv6(${binder.bind('String', last)}), false)`;

/**
 * Whether a column contains a text. The token index answers ILIKE for one run of letters and digits; of text with more
 * of them the longest run is asked for as well, so that the index has something to go by. An IPv4 address by itself has
 * an index of its own. Any other is a row of tokens, of which the index finds the lines that have them all; those are
 * then looked at.
 */
export const insideSql = (column: string, value: Value, binder: Binder): string => {
  const isMessage = column === 'message';
  if (isMessage && isAddress(value)) return hasAddress(value.text, binder);
  const address = addressText(value);
  if (address !== null)
    return joined([
      ...(isMessage ? addressConditions(value, binder) : []),
      addressSql(column, address, binder),
    ]);
  const whole = patternSql(column, value, binder);
  const run = longestRun(value.text);
  return !isMessage || run.length < 4 || run === value.text
    ? whole
    : joined([`message ILIKE ${binder.bind('String', `%${run}%`)}`, whole]);
};

/** The same for messages of which words of the text are known already: they are few, and each is looked at. */
export const textOfWordsSql = (value: Value, binder: Binder): string => {
  const address = addressText(value);
  if (address !== null) return addressSql('message', address, binder);
  return hasWildcard(value) || !isAscii(value.text)
    ? patternSql('message', value, binder)
    : `positionCaseInsensitive(message, ${binder.bind('String', value.text)}) > 0`;
};

/** Whether an IPv4 address is in the message, by itself. */
const hasAddress = (address: string, binder: Binder): string =>
  `has(${addressTokensSql}, ${binder.bind('String', address)})`;

const patternSql = (column: string, value: Value, binder: Binder): string =>
  `${column} ILIKE ${binder.bind('String', containedPattern(value))}`;

const addressSql = (column: string, { pattern, letters }: AddressText, binder: Binder): string =>
  `match(${column}, ${binder.bind('String', letters ? `(?is)${pattern}` : pattern)})`;

const isAscii = (text: string): boolean => Buffer.byteLength(text) === text.length;

/** What must be true of the addresses in a message that has the text, or else of the words of the one at its edge. */
export const addressConditions = (value: Value, binder: Binder): string[] => {
  const { addresses } = wholeAddresses(value);
  if (addresses.length > 0) return addresses.map((one) => hasAddress(one, binder));
  const address = addressText(value);
  return address === null ? [] : addressWords(address, binder);
};

/** What must be true of the words of a message that has the address. */
const addressWords = ({ tokens }: AddressText, binder: Binder): string[] => {
  const single = [...new Set(tokens.flatMap((any) => (any.length === 1 ? any : [])))];
  return [
    ...(single.length === 0 ? [] : [`hasAllTokens(message, ${binder.bind('Array(String)', single)})`]),
    ...tokens
      .filter((any) => any.length > 1)
      .map((any) => `hasAnyTokens(message, ${binder.bind('Array(String)', any)})`),
  ];
};

const joined = (conditions: readonly string[]): string =>
  conditions.length === 1 ? (conditions[0] ?? '') : `(${conditions.join(' AND ')})`;

const longestRun = (text: string): string =>
  text.split(/[^0-9A-Za-z]+/).reduce((longest, run) => (run.length > longest.length ? run : longest), '');
