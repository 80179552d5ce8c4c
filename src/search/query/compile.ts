import type { Parameters } from '#index';
import { Binder, insideSql, textOfWordsSql, type Names } from './binder.ts';
import type { Expression, NameQuestion, Query } from './expression.ts';
import { fieldWords, necessary } from './field-words.ts';
import { comparedSql, inNetworkSql, namedSql } from './named-sql.ts';
import {
  everyPart,
  isToldByWords,
  regexRuns,
  runConditions,
  textConditions,
  textInMessage,
  type KnownWords,
} from './runs.ts';
import type { Value } from './tokens.ts';
import { matchesAll, nameMatcher } from './wildcard.ts';

/** A condition on rows of `lines`. Nothing that was typed stands in `where`: it is all in `parameters`. */
export type Compiled = {
  /**
   * For PREWHERE: what the words of each line must be; `true` if nothing is known of words. Anywhere else the engine may
   * look at the message instead of at its token index, and tell small letters from capitals.
   */
  words: string;
  /** Whether that is all that the expression asks, so that no message has to be read. */
  told: boolean;
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

/** The SQL of a query. @param names where names are looked up, so that the table is asked for exact ones */
export const compileQuery = (query: Query, names: Names): Compiled => {
  const binder = new Binder(names);
  return compiled([], [sql(query.expression, binder)], query, binder);
};

/**
 * The SQL of a query, by words of lines that are all in the table's indices. Of several no two have the same line.
 * @param known words of these lines
 */
export const compileByWords = (query: Query, names: Names, known: KnownWords): Compiled[] => {
  const binder = new Binder(names, 'w');
  const words: string[] = [];
  const rest: string[] = [];
  /** Of one pair: lines that have the field, and others in whose message it may stand. */
  let either: { words: string[]; rest: string[] }[] = [{ words: [], rest: [] }];
  for (const part of everyPart(query.expression)) {
    const text = textInMessage(part, names);
    const fields = text === null ? fieldWords(part, known, binder, (one) => sql(one, binder)) : null;
    if (text !== null) {
      const asked = textConditions(text, known, binder);
      words.push(...asked);
      if (!isToldByWords(text, known))
        rest.push(asked.length === 0 ? sql(part, binder) : textOfWordsSql(text, binder));
    } else if (fields === null) {
      if (part.kind === 'regex') words.push(...runConditions(regexRuns(part.source), known, binder));
      rest.push(sql(part, binder));
    } else if (fields.text !== null && either.length === 1)
      either = [
        { words: [fields.taken], rest: fields.exact ? [] : [sql(part, binder)] },
        { words: [`NOT ${fields.taken}`, fields.text.words], rest: [fields.text.pair] },
      ];
    else {
      words.push(necessary(fields));
      if (!fields.exact || fields.text !== null) rest.push(sql(part, binder));
    }
  }
  return either.map((one) => compiled([...words, ...one.words], [...rest, ...one.rest], query, binder));
};

/** With what is asked of each line besides the query's expression. */
const compiled = (
  words: readonly string[],
  rest: readonly string[],
  query: Query,
  binder: Binder,
): Compiled => {
  const conditions = [...rest];
  if (query.since !== null)
    conditions.push(`time >= fromUnixTimestamp64Micro(${binder.bind('Int64', String(query.since))})`);
  if (query.until !== null)
    conditions.push(`time < fromUnixTimestamp64Micro(${binder.bind('Int64', String(query.until))})`);
  if (!asksForOwnLines(query.expression)) conditions.push("via NOT IN ('fact', 'self')");
  // What was asked stands in the record of a read: it would be found by whatever anybody has ever looked for.
  else if (!asksForReads(query.expression)) conditions.push("NOT (via = 'self' AND fields['kind'] = 'read')");
  return {
    words: words.join(' AND ') || 'true',
    told: words.length > 0 && rest.length === 0,
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
    case 'received':
      return receivedSql(expression, binder);
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

const receivedSql = ({ since, until }: Extract<Expression, { kind: 'received' }>, binder: Binder): string => {
  const bound = (sign: string, time: number): string =>
    `received ${sign} fromUnixTimestamp64Micro(${binder.bind('Int64', String(time))})`;
  return `(${[...(since === null ? [] : [bound('>=', since)]), ...(until === null ? [] : [bound('<', until)])].join(' AND ')})`;
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
