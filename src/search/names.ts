import type { Index } from '#index';
import { Binder, questionSql, type Names } from './query/binder.ts';
import { nameQuestions } from './query/compile.ts';
import type { NameQuestion, Query } from './query/expression.ts';
import { questionMatcher } from './query/wildcard.ts';

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

const keyOf = (question: NameQuestion): string =>
  question.ask === 'network'
    ? `${question.field} ${question.network.first} ${question.network.last}`
    : `${question.field} ${question.ask} ${question.value.quoted ? 'quoted' : ''} ${question.value.text}`;

const inMemory = (index: Index, question: NameQuestion): string[] => {
  const names = new Set<string>();
  for (const sender of index.senders.all()) names.add(sender[question.field]);
  return [...names].filter(questionMatcher(question));
};

const inTable = async (index: Index, question: NameQuestion, where: string): Promise<string[]> => {
  const binder = new Binder(() => 'many');
  const condition = questionSql(question, binder);
  const rows = await index.engine.rows(
    'interactive',
    `SELECT DISTINCT ${question.field} AS name FROM lines WHERE ${where} AND ${condition} LIMIT ${mostNames + 1}`,
    binder.parameters,
  );
  return rows.map((row) => String(row['name']));
};
