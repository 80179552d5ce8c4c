import type { IndexError } from '#index';
import { SearchError } from '../errors.ts';

/**
 * What the engine says of SQL that it cannot run: its own words without its codes, and the place if it names one.
 * @param before columns that stood before the SQL in its first line
 */
export const mistakeIn = (sql: string, error: IndexError, before: number): SearchError => {
  const said = error.message
    .replace(/^the index refused a statement: /, '')
    .replace(/^Code: \d+\. /, '')
    .replace(/^DB::Exception: /, '')
    .replace(/ \(version [^)]*\).*$/s, '')
    .replace(/ \([A-Z_]+\)\s*$/, '')
    .replace(/(?:In|While) scope [\s\S]*$/, '');
  const [, line, column] = /\(line (\d+), col (\d+)\)/.exec(said) ?? [];
  const message = said
    .replace(/^Syntax error: failed at position \d+/, 'syntax error at')
    .replace(/ \(line \d+, col \d+\)/, '')
    .replace(/: (?:[^:]*\. )?Expected one of:[\s\S]*$/, '')
    .trim();
  if (line === undefined || column === undefined)
    return new SearchError('bad-query', message, { cause: error });
  const starts = sql.split('\n').slice(0, Number(line) - 1);
  const at = starts.reduce((sum, text) => sum + text.length + 1, 0) + Number(column) - 1;
  return new SearchError('bad-query', message, {
    cause: error,
    column: Math.min(sql.length, Math.max(0, line === '1' ? at - before : at)),
  });
};
