import type { Index } from '#index';
import { nameQuestions, type NameQuestion, type Names } from './query/compile.ts';
import type { Query } from './query/expression.ts';
import { containedPattern, containsMatcher, likePattern, nameMatcher } from './query/wildcard.ts';

/** More than these are asked for by their pattern instead. */
const mostNames = 1000;

/**
 * The names that a query asks for: from memory, or, where there are more senders than are kept there, from the table.
 * @param where the rows that will be searched
 * @throws IndexError
 */
export const lookUpNames = async (index: Index, query: Query, where: string): Promise<Names> => {
  const answers = new Map<string, readonly string[] | 'many'>();
  for (const question of nameQuestions(query.expression)) {
    const key = keyOf(question);
    if (answers.has(key)) continue;
    const names =
      index.senders.others() === null ? inMemory(index, question) : await inTable(index, question, where);
    answers.set(key, names.length > mostNames ? 'many' : names);
  }
  return (question) => answers.get(keyOf(question)) ?? 'many';
};

const keyOf = ({ field, value, part }: NameQuestion): string =>
  `${field} ${part} ${value.quoted ? 'quoted' : ''} ${value.text}`;

const inMemory = (index: Index, { field, value, part }: NameQuestion): string[] => {
  const names = new Set<string>();
  for (const sender of index.senders.all()) names.add(sender[field]);
  return [...names].filter(part === 'whole' ? nameMatcher(value) : containsMatcher(value));
};

const inTable = async (
  index: Index,
  { field, value, part }: NameQuestion,
  where: string,
): Promise<string[]> => {
  const rows = await index.engine.rows(
    'interactive',
    `SELECT DISTINCT ${field} AS name FROM lines WHERE ${where} AND ${field} ILIKE {pattern:String} LIMIT ${mostNames + 1}`,
    { pattern: part === 'whole' ? likePattern(value) : containedPattern(value) },
  );
  return rows.map((row) => String(row['name']));
};
