import { badQuery, type SearchError } from '../errors.ts';
import { nearest } from './field-names.ts';
import { tokenize, type Token } from './tokens.ts';

/** Queries by the name under which they were saved. */
export type SavedQueries = ReadonlyMap<string, string>;

/** Whether a query asks for any saved search. */
export const asksForSaved = (tokens: readonly Token[]): boolean =>
  tokens.some(({ kind }) => kind === 'saved');

/**
 * The tokens with those of the saved search, in parentheses, in the place of each `@NAME`. A mistake in one stands where
 * its name does, so all its tokens have that column.
 * @param most tokens: what saved searches ask for of each other may be as much as anything
 * @throws SearchError `bad-query`
 */
export const expandSaved = (
  tokens: readonly Token[],
  saved: SavedQueries,
  most: number,
  within: readonly string[] = [],
): Token[] => {
  const expanded: Token[] = [];
  for (const token of tokens) {
    if (token.kind !== 'saved') expanded.push(token);
    else {
      const { name, column } = token;
      const inner = expandSaved(queryNamed(name, column, saved, within), saved, most, [...within, name]);
      expanded.push({ kind: 'open', column }, ...inner.map((one) => placedAt(one, column)), {
        kind: 'close',
        column,
      });
    }
    if (expanded.length > most)
      throw badQuery(`more than ${most} words`, token.column, 'use a /regex/, or fewer words');
  }
  return expanded;
};

const queryNamed = (
  name: string,
  column: number,
  saved: SavedQueries,
  within: readonly string[],
): Token[] => {
  if (within.includes(name))
    throw badQuery(
      `the saved search '${name}' asks for itself`,
      column,
      `save it anew: holdfast logs saved save ${name} QUERY`,
    );
  const query = saved.get(name);
  if (query === undefined) throw unknown(name, column, [...saved.keys()], within.at(-1));
  return tokenize(query);
};

const placedAt = (token: Token, column: number): Token =>
  'value' in token ? { ...token, column, value: { ...token.value, column } } : { ...token, column };

const mostNamed = 8;

const unknown = (
  name: string,
  column: number,
  names: readonly string[],
  askedBy: string | undefined,
): SearchError => {
  if (askedBy !== undefined)
    return badQuery(
      `the saved search '${askedBy}' asks for @${name}, and no search is saved under that name`,
      column,
      `save it anew: holdfast logs saved save ${name} QUERY, or saved save ${askedBy} QUERY`,
    );
  const near = nearest(name, names);
  const there =
    names.length === 0
      ? 'none is saved;'
      : `there are: ${names.slice(0, mostNamed).join(', ')}${names.length > mostNamed ? ', …' : ''};`;
  return badQuery(
    `there is no saved search '${name}'`,
    column,
    `${near === null ? there : `did you mean @${near}?`} to search for this text, quote it: "@${name}"`,
  );
};
