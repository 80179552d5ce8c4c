import { badQuery } from '../errors.ts';

/** A name as it stands in the text, quotes taken off. */
export type Name = { text: string; column: number; next: string };

/**
 * Words that may not stand outside of strings: clauses that write files, change settings or the form of the answer, and
 * databases that tell of the engine. Looked for before the engine sees the text at all.
 */
const refused = new Set([
  'outfile',
  'infile',
  'settings',
  'format',
  'apply',
  'parallel',
  'system',
  'information_schema',
]);

/**
 * The names of one SELECT (or WITH … SELECT). Works on the engine's own lexical rules and refuses what could be read
 * differently by them: escapes and control characters in quoted names, heredocs, a second statement.
 * @throws SearchError `bad-query` with the column
 */
export const namesOf = (sql: string): Name[] => {
  if (!/^\s*(?:\(\s*)*(select|with)\b/i.test(sql))
    throw badQuery('only SELECT is answered here', 0, 'e.g. SELECT app, count() FROM lines GROUP BY app');
  const found = scan(sql);
  const bad = found.find(({ text }) => refused.has(text.toLowerCase()));
  if (bad !== undefined) throw notHere(bad.text, bad.column);
  return found;
};

export const notHere = (text: string, column: number): Error =>
  badQuery(
    `"${text}" may not be used here`,
    column,
    'only the table lines can be asked, with functions of values alone',
  );

const scan = (sql: string): Name[] => {
  const found: Name[] = [];
  const lexer =
    /'(?:[^'\\]|\\[\s\S]|'')*'|`[^`\\\p{Cc}]*`|"[^"\\\p{Cc}]*"|--[^\n]*|\/\*(?:(?!\/\*)[\s\S])*?\*\/|[A-Za-z_][A-Za-z0-9_]*|\d[\w.]*|[ \t\r\n(),.*=<>!+\-/%|?:[\]{}@]/uy;
  let before: Name | null = null;
  for (let at = 0; at < sql.length; at = lexer.lastIndex) {
    lexer.lastIndex = at;
    const token = lexer.exec(sql)?.[0];
    if (token === undefined)
      throw badQuery(
        `this cannot stand here: ${sql.slice(at, at + 1)}`,
        at,
        'one statement, without ; # $, nested comments, or escapes in quoted names',
      );
    if (/^(?:\s|--|\/\*)/.test(token)) continue;
    if (before !== null) before.next += token.toLowerCase();
    before = null;
    if (/^[A-Za-z_`"]/.test(token)) {
      const text = /^[`"]/.test(token) ? token.slice(1, -1) : token;
      before = { text, column: at, next: '' };
      found.push(before);
    }
  }
  return found;
};
