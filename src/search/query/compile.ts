import type { Parameters } from '#index';
import { Binder, insideSql, type Names } from './binder.ts';
import type { Expression, NameQuestion, Query } from './expression.ts';
import { comparedSql, inNetworkSql, namedSql } from './named-sql.ts';
import { everyPart, textInMessage, wordsSql, type KnownWords } from './runs.ts';
import type { Value } from './tokens.ts';
import { matchesAll, nameMatcher } from './wildcard.ts';

/** A condition on rows of `lines`. Nothing that was typed stands in `where`: it is all in `parameters`. */
export type Compiled = {
  /**
   * For PREWHERE: what the words of each line must be; `true` if nothing is known of words. Anywhere else the engine may
   * look at the message instead of at its token index, and tell small letters from capitals.
   */
  words: string;
  where: string;
  parameters: Parameters;
  regexes: { name: string; column: number }[];
};

/** All names that the query asks for. */
export const nameQuestions = (expression: Expression): NameQuestion[] => {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.of.flatMap(nameQuestions);
    case 'not':
      return nameQuestions(expression.of);
    case 'text':
      return matchesAll(expression.value) || expression.where === 'message'
        ? []
        : (['app', 'host'] as const).map((field) => ({ field, value: expression.value, ask: 'inside' }));
    case 'sender':
      return [expression.question];
    default:
      return [];
  }
};

/**
 * The SQL of a query.
 * @param names where names are looked up, so that the table is asked for exact ones
 * @param known words of the lines that it is for; they must all be in the token index
 */
export const compileQuery = (query: Query, names: Names, known: KnownWords | null = null): Compiled => {
  const binder = new Binder(names);
  const { words, rest } = withWords(query.expression, names, known, binder);
  const conditions = [sql(rest, binder)];
  if (query.since !== null)
    conditions.push(`time >= fromUnixTimestamp64Micro(${binder.bind('Int64', String(query.since))})`);
  if (query.until !== null)
    conditions.push(`time < fromUnixTimestamp64Micro(${binder.bind('Int64', String(query.until))})`);
  if (!asksForOwnLines(query.expression)) conditions.push("via NOT IN ('fact', 'self')");
  // What was asked stands in the record of a read: it would be found by whatever anybody has ever looked for.
  else if (!asksForReads(query.expression)) conditions.push("NOT (via = 'self' AND fields['kind'] = 'read')");
  return {
    words: words.join(' AND ') || 'true',
    where: conditions.filter((condition) => condition !== 'true').join(' AND ') || 'true',
    parameters: binder.parameters,
    regexes: binder.regexes,
  };
};

const sql = (expression: Expression, binder: Binder): string => {
  switch (expression.kind) {
    case 'all':
      return 'true';
    case 'and':
    case 'or': {
      const neutral = expression.kind === 'and' ? 'true' : 'false';
      const parts = expression.of.map((part) => sql(part, binder)).filter((part) => part !== neutral);
      return parts.length === 0 ? neutral : `(${parts.join(expression.kind === 'and' ? ' AND ' : ' OR ')})`;
    }
    case 'not':
      return `NOT (${sql(expression.of, binder)})`;
    case 'text':
      return textSql(expression.value, expression.where, binder);
    case 'regex':
      return `match(message, ${binder.regex(expression.source, expression.column)})`;
    case 'sender':
      return binder.sender(expression.question);
    case 'severity':
    case 'facility':
      return expression.numbers.length === 0
        ? 'false'
        : `${expression.kind} IN (${expression.numbers.join(', ')})`;
    case 'pid':
      return `ifNull(pid ${expression.comparison} ${binder.bind('UInt32', expression.pid)}, false)`;
    case 'address':
      return `(entry = ${binder.bind('UInt64', expression.entry)} AND line = ${binder.bind('UInt32', expression.line)}${expression.part === null ? '' : ` AND part = ${binder.bind('UInt32', expression.part)}`})`;
    case 'named':
      return namedSql(expression.name, expression.value, binder);
    case 'compared':
      return comparedSql(expression.name, expression.comparison, expression.number, binder);
    case 'in network':
      return inNetworkSql(expression.name, expression.network, binder);
  }
};

/** @returns `rest`: what the words do not say */
const withWords = (
  expression: Expression,
  names: Names,
  known: KnownWords | null,
  binder: Binder,
): { words: string[]; rest: Expression } => {
  if (known === null) return { words: [], rest: expression };
  const words: string[] = [];
  const of = everyPart(expression).filter((part) => {
    const text = textInMessage(part, names);
    if (text === null) return true;
    const { conditions, isAll } = wordsSql(text, known, binder);
    words.push(...conditions);
    return !isAll;
  });
  return { words, rest: { kind: 'and', of } };
};

const textSql = (value: Value, where: 'anywhere' | 'message', binder: Binder): string => {
  if (matchesAll(value)) return 'true';
  const message = insideSql('message', value, binder);
  if (where === 'message') return message;
  const names = nameConditions(value, binder);
  return names.length === 0 ? message : `(${[message, ...names].join(' OR ')})`;
};

const nameConditions = (value: Value, binder: Binder): string[] =>
  (['app', 'host'] as const)
    .map((field) => binder.sender({ field, value, ask: 'inside' }))
    .filter((condition) => condition !== 'false');

/** Whether lines of Holdfast's own are asked for by name, or one line by its address. */
export const asksForOwnLines = (expression: Expression): boolean => {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.of.some(asksForOwnLines);
    case 'address':
      return true;
    case 'sender': {
      const { question } = expression;
      return (
        question.field === 'app' &&
        question.ask === 'whole' &&
        !/^\**$/.test(question.value.text) &&
        nameMatcher(question.value)('holdfast')
      );
    }
    default:
      return false;
  }
};

/** Whether records of reads are asked for by their kind, or one line by its address. */
export const asksForReads = (expression: Expression): boolean => {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.of.some(asksForReads);
    case 'address':
      return true;
    case 'named':
      return expression.name === 'kind' && nameMatcher(expression.value)('read');
    default:
      return false;
  }
};
