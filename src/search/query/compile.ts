import { Guessed, type Parameters } from '#index';
import { possibleRedelivery } from '../possible-redelivery.ts';
import type { Expression, Query, SenderField } from './expression.ts';
import type { Value } from './tokens.ts';
import { containedPattern, likeEscape, likePattern, hasWildcard, nameMatcher } from './wildcard.ts';

/** A condition on rows of `lines`. Nothing that was typed stands in `where`: it is all in `parameters`. */
export type Compiled = { where: string; parameters: Parameters; regexes: { name: string; column: number }[] };

/** Which names a query asks for: those that are what `value` says, or that contain it. */
export type NameQuestion = { field: SenderField; value: Value; part: 'whole' | 'inside' };

/** Names of senders, letter case as in the table; `many` where there are more than a statement can list. */
export type Names = (question: NameQuestion) => readonly string[] | 'many';

/** All names that the query asks for. */
export const nameQuestions = (expression: Expression): NameQuestion[] => {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.of.flatMap(nameQuestions);
    case 'not':
      return nameQuestions(expression.of);
    case 'text':
      return matchesAll(expression.value)
        ? []
        : (['app', 'host'] as const).map((field) => ({ field, value: expression.value, part: 'inside' }));
    case 'sender':
      return [{ field: expression.field, value: expression.value, part: 'whole' }];
    default:
      return [];
  }
};

/**
 * The SQL of a query.
 * @param names where names are looked up, so that the table is asked for exact ones
 */
export const compileQuery = (query: Query, names: Names): Compiled => {
  const binder = new Binder(names);
  const conditions = [sql(query.expression, binder)];
  if (query.since !== null)
    conditions.push(`time >= fromUnixTimestamp64Micro(${binder.bind('Int64', String(query.since))})`);
  if (query.until !== null)
    conditions.push(`time < fromUnixTimestamp64Micro(${binder.bind('Int64', String(query.until))})`);
  if (!asksForOwnLines(query.expression)) conditions.push("via NOT IN ('fact', 'self')");
  return {
    where: conditions.filter((condition) => condition !== 'true').join(' AND ') || 'true',
    parameters: binder.parameters,
    regexes: binder.regexes,
  };
};

class Binder {
  readonly parameters: Record<string, string | number | readonly string[]> = {};
  readonly regexes: { name: string; column: number }[] = [];
  private readonly names: Names;

  constructor(names: Names) {
    this.names = names;
  }

  bind(
    type: 'String' | 'Int64' | 'UInt64' | 'UInt32' | 'Array(String)',
    value: string | number | readonly string[],
  ): string {
    const name = `p${Object.keys(this.parameters).length}`;
    this.parameters[name] = value;
    return `{${name}:${type}}`;
  }

  regex(source: string, column: number): string {
    this.regexes.push({ name: `p${Object.keys(this.parameters).length}`, column });
    return this.bind('String', source);
  }

  /** The condition that a line's sender has one of these names. */
  sender(question: NameQuestion): string {
    const { field, value, part } = question;
    const names = this.names(question);
    if (names === 'many')
      return `${field} ILIKE ${this.bind('String', part === 'whole' ? likePattern(value) : containedPattern(value))}`;
    return names.length === 0 ? 'false' : `${field} IN ${this.bind('Array(String)', names)}`;
  }
}

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
      return textSql(expression.value, binder);
    case 'regex':
      return `match(message, ${binder.regex(expression.source, expression.column)})`;
    case 'sender':
      return binder.sender({ field: expression.field, value: expression.value, part: 'whole' });
    case 'severity':
    case 'facility':
      return expression.numbers.length === 0
        ? 'false'
        : `${expression.kind} IN (${expression.numbers.join(', ')})`;
    case 'pid':
      return `ifNull(pid = ${binder.bind('UInt32', expression.pid)}, false)`;
    case 'address':
      return `(entry = ${binder.bind('UInt64', expression.entry)} AND line = ${binder.bind('UInt32', expression.line)}${expression.part === null ? '' : ` AND part = ${binder.bind('UInt32', expression.part)}`})`;
    case 'named':
      return namedSql(expression.name, expression.value, binder);
  }
};

/**
 * Text in the message, or in the name of the app or host. The token index answers ILIKE for one run of letters and
 * digits; of text with more of them the longest run is asked for as well, so that the index has something to go by.
 */
const textSql = (value: Value, binder: Binder): string => {
  if (matchesAll(value)) return 'true';
  const whole = `message ILIKE ${binder.bind('String', containedPattern(value))}`;
  const run = longestRun(value.text);
  const message =
    run.length < 4 || run === value.text
      ? whole
      : `(message ILIKE ${binder.bind('String', `%${likeEscape(run)}%`)} AND ${whole})`;
  const names = (['app', 'host'] as const)
    .map((field) => binder.sender({ field, value, part: 'inside' }))
    .filter((condition) => condition !== 'false');
  return names.length === 0 ? message : `(${[message, ...names].join(' OR ')})`;
};

const longestRun = (text: string): string =>
  text.split(/[^0-9A-Za-z]+/).reduce((longest, run) => (run.length > longest.length ? run : longest), '');

const matchesAll = (value: Value): boolean =>
  value.text === '' || (hasWildcard(value) && /^\*+$/.test(value.text));

const namedSql = (name: string, value: Value, binder: Binder): string => {
  if (name === 'guessed') return guessedSql(value);
  if (name === possibleRedelivery.field)
    return nameMatcher(value)('true') ? `bitAnd(flags, ${possibleRedelivery.bit}) != 0` : 'false';
  const key = binder.bind('String', name);
  const present = `mapContains(fields, ${key})`;
  if (!value.quoted && value.text === '*') return present;
  const pattern = binder.bind('String', likePattern(value));
  // `fields[…]` is the first of the values that a field may have. To look at all of them takes several times as long, so
  // that is done only where there are more.
  const others = `countEqual(mapKeys(fields), ${key}) > 1 AND arrayExists((k, v) -> k = ${key} AND v ILIKE ${pattern}, mapKeys(fields), mapValues(fields))`;
  return `((${present} AND fields[${key}] ILIKE ${pattern}) OR (${others}))`;
};

/** `guessed=year`: what a hit shows as a field is a bit of each row. */
const guessedSql = (value: Value): string => {
  const asked = nameMatcher(value);
  const bits = Object.entries(Guessed).reduce((all, [name, bit]) => (asked(name) ? all | bit : all), 0);
  return bits === 0 ? 'false' : `bitAnd(flags, ${bits}) != 0`;
};

/** Whether lines of Holdfast's own are asked for by name, or one line by its address. */
export const asksForOwnLines = (expression: Expression): boolean => {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.of.some(asksForOwnLines);
    case 'address':
      return true;
    case 'sender':
      return (
        expression.field === 'app' &&
        !/^\**$/.test(expression.value.text) &&
        nameMatcher(expression.value)('holdfast')
      );
    default:
      return false;
  }
};
