import { isIPv6 } from 'node:net';
import { badQuery } from '../errors.ts';
import { fieldNamed } from './field-names.ts';

/** A value as typed: `quoted` ones are taken literally, in others `*` stands for any characters. */
export type Value = { text: string; quoted: boolean; column: number };

/** Columns are zero-based places in the query. */
export type Token =
  | { kind: 'open' | 'close' | 'and' | 'or' | 'not'; column: number }
  | { kind: 'text'; value: Value; column: number }
  | { kind: 'regex'; source: string; column: number }
  /** `@NAME` */
  | { kind: 'saved'; name: string; column: number }
  /** `name:value` */
  | { kind: 'field'; name: string; value: Value; column: number }
  /** `name:` before a parenthesis: it holds for each value in there. */
  | { kind: 'each'; name: string; column: number }
  /** `name=value`, `name>=value`, … */
  | { kind: 'named'; name: string; operator: Operator; value: Value; column: number };

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** @throws SearchError `bad-query` for a quote that is not closed */
export const tokenize = (query: string): Token[] => {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    while (at < query.length && isSpace(query, at)) at += 1;
    if (at >= query.length) return tokens;
    const { token, end } = tokenAt(query, at);
    tokens.push(token);
    at = end;
  }
};

type Found = { token: Token; end: number };

const tokenAt = (query: string, at: number): Found => {
  const character = query[at];
  if (character === '(') return { token: { kind: 'open', column: at }, end: at + 1 };
  if (character === ')') return { token: { kind: 'close', column: at }, end: at + 1 };
  if (character === '"') {
    const { value, end } = quotedAt(query, at);
    return { token: { kind: 'text', value, column: at }, end };
  }
  if (character === "'") {
    const single = singleQuotedAt(query, at);
    if (single !== null) return { token: { kind: 'text', value: single.value, column: at }, end: single.end };
  }
  // `-word` leaves out; `--flag` and a lone `-` are text
  if (
    character === '-' &&
    at + 1 < query.length &&
    !isSpace(query, at + 1) &&
    query[at + 1] !== '-' &&
    query[at + 1] !== ')'
  ) {
    return { token: { kind: 'not', column: at }, end: at + 1 };
  }
  if (character === '/') {
    const regex = regexAt(query, at);
    if (regex !== null) return regex;
  }
  return wordAt(query, at);
};

const isSpace = (query: string, at: number): boolean => /\s/.test(query[at] ?? '');

const quotedAt = (query: string, at: number): { value: Value; end: number } => {
  let text = '';
  for (let i = at + 1; i < query.length; i += 1) {
    const character = query[i] ?? '';
    if (character === '"') return { value: { text, quoted: true, column: at }, end: i + 1 };
    if (character === '\\' && (query[i + 1] === '"' || query[i + 1] === '\\')) {
      text += query[i + 1] ?? '';
      i += 1;
    } else text += character;
  }
  throw badQuery(
    'this quote is not closed',
    at,
    'add a " at its end, or write \\" for a quote that is part of the text',
  );
};

/** `'…'`, if its end is that of a word; else the first is an apostrophe, and part of the text. */
const singleQuotedAt = (query: string, at: number): { value: Value; end: number } | null => {
  for (let i = query.indexOf("'", at + 1); i > at + 1; i = query.indexOf("'", i + 1))
    if (endsWord(query, i + 1))
      return { value: { text: query.slice(at + 1, i), quoted: true, column: at }, end: i + 1 };
  return null;
};

const endsWord = (query: string, at: number): boolean =>
  at >= query.length || isSpace(query, at) || query[at] === ')';

/** `/…/` ends at the first `/` without a backslash; if that is not the end of a word, it is a path and no expression. */
const regexAt = (query: string, at: number): Found | null => {
  let source = '';
  for (let i = at + 1; i < query.length; i += 1) {
    const character = query[i] ?? '';
    if (character === '\\' && i + 1 < query.length) {
      source += query[i + 1] === '/' ? '/' : `\\${query[i + 1] ?? ''}`;
      i += 1;
    } else if (character === '/') {
      const ignoreCase = query[i + 1] === 'i' ? 1 : 0;
      const end = i + 1 + ignoreCase;
      if (!endsWord(query, end) || source === '') return null;
      return {
        token: { kind: 'regex', source: ignoreCase === 1 ? `(?i)${source}` : source, column: at },
        end,
      };
    } else source += character;
  }
  return null;
};

const keywords: Record<string, 'and' | 'or' | 'not'> = { AND: 'and', OR: 'or', NOT: 'not' };

/** A word ends at a space, or at a `)` that it did not open itself: `pam_unix(sudo:session)` is one word. */
const wordEnd = (query: string, at: number): number => {
  let depth = 0;
  let end = at;
  for (; end < query.length && !isSpace(query, end); end += 1) {
    if (query[end] === '(') depth += 1;
    else if (query[end] === ')') {
      if (depth === 0) break;
      depth -= 1;
    }
  }
  return end;
};

const wordAt = (query: string, at: number): Found => {
  const end = wordEnd(query, at);
  const word = query.slice(at, end);
  const keyword = Object.hasOwn(keywords, word) ? keywords[word] : undefined;
  if (keyword !== undefined) return { token: { kind: keyword, column: at }, end };
  const saved = /^@([A-Za-z0-9][A-Za-z0-9_.-]{0,63})$/.exec(word)?.[1];
  if (saved !== undefined) return { token: { kind: 'saved', name: saved, column: at }, end };
  return (
    fieldAt(query, at, end) ??
    namedAt(query, at, end) ?? {
      token: { kind: 'text', value: { text: word, quoted: false, column: at }, column: at },
      end,
    }
  );
};

/**
 * `name:value`, with the value quoted or not. What looks like one and is text: `error:`, `http://…`, `std::string`,
 * `C:\…`, addresses.
 */
const fieldAt = (query: string, at: number, end: number): Found | null => {
  const word = query.slice(at, end);
  const name = /^([A-Za-z][A-Za-z_]*):/.exec(word)?.[1];
  if (name === undefined) return null;
  const start = at + name.length + 1;
  if (query[start] === '(' && fieldNamed(name) !== null)
    return { token: { kind: 'each', name, column: at }, end: start };
  if (/^(?:[A-Za-z]+:(?:$|:|\/\/)|[A-Za-z]:[\\/]|(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$)/.test(word))
    return null;
  if (isIPv6(word.replace(/[%/].*$/, ''))) return null;
  const field = fieldNamed(name);
  const timed =
    field === 'since' || field === 'until' ? dateAndTime.exec(query.slice(start))?.[0].length : undefined;
  const { value, end: valueEnd } = valueAt(query, start, timed === undefined ? end : start + timed);
  return { token: { kind: 'field', name, value, column: at }, end: valueEnd };
};

/** `2026-05-12 03:00` with the space, as a shell leaves it of what was quoted for it alone. */
const dateAndTime = /^\d{4}-\d\d-\d\d[ \t]+\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?=[\s)]|$)/;

/** `name=value`, `name>=500`. `a==`, `x=>y` and `a->b` are text. */
const namedAt = (query: string, at: number, end: number): Found | null => {
  const match = /^([A-Za-z_](?:[\w.@-]*[\w.@])?)(!=|<=|>=|=|<|>)(?![=>~])/.exec(query.slice(at, end));
  const [all = '', name = '', symbol = ''] = match ?? [];
  const operator = operators.find((known) => known === symbol);
  const start = at + all.length;
  if (operator === undefined || start === end) return null;
  const { value, end: valueEnd } = valueAt(query, start, end);
  if (
    (operator === '<' || operator === '>') &&
    fieldNamed(name) !== 'severity' &&
    fieldNamed(name) !== 'received' &&
    !/^[-+]?\.?\d/.test(value.text)
  )
    return null;
  return { token: { kind: 'named', name, operator, value, column: at }, end: valueEnd };
};

const operators: readonly Operator[] = ['=', '!=', '<', '<=', '>', '>='];

const valueAt = (query: string, start: number, end: number): { value: Value; end: number } => {
  if (query[start] === '"') return quotedAt(query, start);
  const single = query[start] === "'" ? singleQuotedAt(query, start) : null;
  if (single !== null) return single;
  return { value: { text: query.slice(start, end), quoted: false, column: start }, end };
};
