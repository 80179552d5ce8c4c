import { isIPv4, isIPv6 } from 'node:net';
import { addressBytes, mappedFour } from './network.ts';
import type { Value } from './tokens.ts';

/**
 * How a text is looked for that has an IP address at its edge: the address is one thing, so `10.0.0.5` is neither in
 * `10.0.0.55` nor in `110.0.0.5`.
 */
export type AddressText = {
  /** A regular expression that both RE2 and JavaScript read; it holds for the whole of what is looked for. */
  pattern: string;
  /** Whether letters are in it, so that their case must be told not to count. */
  letters: boolean;
  /**
   * For the token index: of each list, one must be among the message's tokens. Case counts in parts whose index is not
   * built yet, so letters stand in both.
   */
  tokens: readonly (readonly string[])[];
};

const mostParts = 4;

const before = String.raw`(?:^\.?|[^0-9A-Za-z.]|[^0-9]\.)`;
const behind = String.raw`(?:$|[^0-9A-Za-z.]|\.(?:$|[^0-9]))`;

/** What people write beside an address that is no ASCII: it sticks to the address in the token index. */
const opening = ['‘', '“', '«', '‹', '„', '→', '…', '（', '：', '，'];
const closing = ['’', '”', '»', '›', '“', '→', '…', '）', '：', '，', '。'];

/** `null` where no address begins or ends the text. */
export const addressText = (value: Value): AddressText | null => {
  const six = wholeSix(value.text);
  if (six !== null) return six;
  const text = value.quoted ? value.text : value.text.replace(/\.\*$/, '.');
  if (/^(?:\d{1,3}\.){2,3}$/.test(text) && octets(text)) {
    return {
      pattern: `${before}${escaped(text)}[0-9]`,
      letters: false,
      tokens: tokensOf(text, true, false, value.quoted),
    };
  }
  const [first] = /^(?:\d{1,3}\.){3}\d{1,3}(?![0-9A-Za-z]|\.[0-9])/.exec(text) ?? [];
  const [last, , port] = /(?<![0-9A-Za-z]|[0-9]\.)((?:\d{1,3}\.){3}\d{1,3})([:/]\d{1,5})?$/.exec(text) ?? [];
  const left = first !== undefined && isIPv4(first);
  const right = last !== undefined && isIPv4(last.replace(/[:/]\d+$/, ''));
  if (!left && !right) return null;
  // Each star would be one more way to try for JavaScript, which the matcher below uses.
  if (!value.quoted && text.split(/\*+/).length > mostParts) return null;
  const body = value.quoted ? escaped(text) : text.split(/\*+/).map(escaped).join('.*');
  const end = !right ? '' : port === undefined ? behind : '(?:$|[^0-9A-Za-z])';
  return {
    pattern: `${left ? before : ''}${body}${end}`,
    letters: /[A-Za-z]/.test(text),
    tokens: tokensOf(text, left, right, value.quoted),
  };
};

/** Whether a text is an IPv4 address and nothing else. */
export const isAddress = ({ text }: Value): boolean => isIPv4(text);

/**
 * The IPv4 addresses that stand by themselves, by the rule above, in whatever message has the text.
 * @returns them, and the text with a space in the place of each
 */
export const wholeAddresses = (value: Value): { addresses: string[]; rest: string } => {
  const { text, quoted } = value;
  // As `64:ff9b::192.0.2.33`, which is also found where its end is written otherwise.
  if (isManyForms(value)) return { addresses: [], rest: text };
  const edges = addressText(value) !== null;
  const isEnd = (beside: string | undefined): boolean =>
    beside === undefined ? edges : quoted || beside !== '*';
  const addresses = new Set<string>();
  const rest = text.replace(
    /(?<![0-9A-Za-z.])(?:\d{1,3}\.){3}\d{1,3}(?![0-9A-Za-z.])/g,
    (address: string, at: number) => {
      if (!isIPv4(address) || !isEnd(text[at - 1]) || !isEnd(text[at + address.length])) return address;
      addresses.add(address);
      return ' ';
    },
  );
  return { addresses: [...addresses], rest };
};

/** The same rule for names of hosts and programs. */
export const addressTextMatcher = ({ pattern }: AddressText): ((name: string) => boolean) => {
  const expression = new RegExp(pattern, 'is');
  return (name) => expression.test(name);
};

const octets = (text: string): boolean =>
  text
    .split('.')
    .filter((part) => part !== '')
    .every((part) => Number(part) <= 255);

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

/** Runs of digits that must be tokens of their own: those that ASCII stands around, in the text or by the rule above. */
const tokensOf = (text: string, left: boolean, right: boolean, quoted: boolean): string[][] => {
  const found: string[][] = [];
  for (const match of text.matchAll(/[0-9A-Za-z\u0080-\uffff]+/g)) {
    const [run] = match;
    const end = match.index + run.length;
    if (!/^[0-9]+$/.test(run)) continue;
    if (!quoted && (text[match.index - 1] === '*' || text[end] === '*')) continue;
    const begins = match.index === 0;
    const ends = end === text.length;
    if ((begins && !left) || (ends && !right)) continue;
    found.push(beside([run], begins, ends));
  }
  return found;
};

/** Tokens, and what they are where a mark sticks to them. */
const beside = (tokens: readonly string[], begins: boolean, ends: boolean): string[] => [
  ...tokens,
  ...(begins ? tokens.flatMap((token) => opening.map((mark) => `${mark}${token}`)) : []),
  ...(ends ? tokens.flatMap((token) => closing.map((mark) => `${token}${mark}`)) : []),
];

/** Whether it is one address that can be written in several ways, so that its runs of digits need not be there. */
export const isManyForms = ({ text }: Value): boolean => wholeSix(text) !== null;

/** An IPv6 address by itself, with brackets, zone or port if there are: found in each of the ways it can be written. */
const wholeSix = (text: string): AddressText | null => {
  const [, bracketed, bare, tail = ''] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Fa-f:.]+))((?:%[\w.-]+)?(?::\d{1,5})?)$/.exec(text) ?? [];
  const address = bracketed ?? bare ?? '';
  if (!isIPv6(address) || address === '::' || (bracketed === undefined && tail.startsWith(':'))) return null;
  const four = mappedFour(address);
  if (four !== null) return tail === '' ? addressText({ text: four, quoted: true, column: 0 }) : null;
  const bytes = addressBytes(address) ?? [];
  const groups = Array.from({ length: 8 }, (_, at) => ((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0));
  const forms = waysOf(groups).join('|');
  const port = tail === '' ? '' : `\\]?${escaped(tail)}`;
  return {
    pattern: `(?:^|[^0-9A-Za-z:.])(?:${forms})${port}(?:$|[^0-9A-Za-z:]|:(?:$|[^0-9A-Fa-f:]))`,
    letters: true,
    tokens: groups.flatMap((group, at) =>
      group === 0 ? [] : [beside(spellings(group), at === 0, at === 7 && tail === '')],
    ),
  };
};

/** With and without leading zeros, in small and capital letters. */
const spellings = (group: number): string[] => {
  const digits = group.toString(16);
  const padded = Array.from({ length: 5 - digits.length }, (_, zeros) => '0'.repeat(zeros) + digits);
  return [...new Set([...padded, ...padded.map((text) => text.toUpperCase())])];
};

/** All eight groups, and all that `::` may stand for; leading zeros or none. */
const waysOf = (groups: readonly number[]): string[] => {
  const written = groups.map((group) => {
    const digits = group.toString(16);
    return digits.length === 4 ? digits : `0{0,${4 - digits.length}}${digits}`;
  });
  const ways = [written.join(':')];
  for (let from = 0; from < 8; from += 1)
    for (let to = from + 1; to <= 8 && groups[to - 1] === 0; to += 1)
      ways.push(`${written.slice(0, from).join(':')}::${written.slice(to).join(':')}`);
  return ways;
};
