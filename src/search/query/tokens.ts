import { badQuery } from '../errors.ts';

/** A value as typed: `quoted` ones are taken literally, in others `*` stands for any characters. */
export type Value = { text: string; quoted: boolean; column: number };

/** Columns are zero-based places in the query. */
export type Token =
  | { kind: 'open' | 'close' | 'and' | 'or' | 'not'; column: number }
  | { kind: 'text'; value: Value; column: number }
  | { kind: 'regex'; source: string; column: number }
  /** `name:value` */
  | { kind: 'field'; name: string; value: Value; column: number }
  /** `name=value` */
  | { kind: 'named'; name: string; value: Value; column: number };

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
      const ends = end >= query.length || isSpace(query, end) || query[end] === ')';
      if (!ends || source === '') return null;
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
  return (
    pairAt(query, at, end, /^([A-Za-z][A-Za-z_]*):/, 'field') ??
    pairAt(query, at, end, /^([A-Za-z_][\w.@-]*)=/, 'named') ?? {
      token: { kind: 'text', value: { text: word, quoted: false, column: at }, column: at },
      end,
    }
  );
};

/** `name:value`, `name=value`, with the value quoted or not. `error:` and `http://…` are text. */
const pairAt = (
  query: string,
  at: number,
  end: number,
  pattern: RegExp,
  kind: 'field' | 'named',
): Found | null => {
  const name = pattern.exec(query.slice(at, end))?.[1];
  if (name === undefined) return null;
  const start = at + name.length + 1;
  if (query[start] === '"') {
    const quoted = quotedAt(query, start);
    return { token: { kind, name, value: quoted.value, column: at }, end: quoted.end };
  }
  if (start === end || query.startsWith('//', start)) return null;
  return {
    token: { kind, name, value: { text: query.slice(start, end), quoted: false, column: start }, column: at },
    end,
  };
};
