import { badQuery } from './errors.ts';

/**
 * Names that may not stand in SQL that somebody else wrote. The engine's read-only mode refuses writes, settings and
 * table functions; it does not refuse these, which read or write files, reach outside, or show what others ask.
 */
const refused = new Set([
  'file',
  'outfile',
  'infile',
  'system',
  'information_schema',
  'catboostevaluate',
  'sleep',
  'sleepeachrow',
  'settings',
  'format',
]);

/**
 * Lets pass one SELECT (or WITH … SELECT) that names nothing of `refused`. Works on the engine's own lexical rules,
 * and refuses what they could be read differently by: escapes in quoted names, heredocs, a second statement.
 * @throws SearchError `bad-query` with the column
 */
export const guardSql = (sql: string): void => {
  const first = /^\s*(?:\(\s*)*(select|with)\b/i.exec(sql);
  if (first === null)
    throw badQuery('only SELECT is answered here', 0, 'e.g. SELECT app, count() FROM lines GROUP BY app');
  for (const { text, column } of names(sql)) {
    const name = text.toLowerCase();
    if (refused.has(name) || name.startsWith('ai'))
      throw badQuery(
        `"${text}" may not be used here`,
        column,
        'only what is in the table lines can be asked for',
      );
  }
};

type Name = { text: string; column: number };

const names = (sql: string): Name[] => {
  const found: Name[] = [];
  const lexer =
    /'(?:[^'\\]|\\[\s\S]|'')*'|`[^`\\]*`|"[^"\\]*"|--[^\n]*|\/\*[\s\S]*?\*\/|[A-Za-z_][A-Za-z0-9_]*|\d[\w.]*|[\s(),.*=<>!+\-/%|?:[\]{}@]/y;
  for (let at = 0; at < sql.length; at = lexer.lastIndex) {
    lexer.lastIndex = at;
    const token = lexer.exec(sql)?.[0];
    if (token === undefined)
      throw badQuery(
        `this cannot stand here: ${sql.slice(at, at + 1)}`,
        at,
        'one statement, without ; # $ or escapes in quoted names',
      );
    if (/^[A-Za-z_]/.test(token)) found.push({ text: token, column: at });
    else if (token.startsWith('`') || token.startsWith('"'))
      found.push({ text: token.slice(1, -1), column: at });
  }
  return found;
};
