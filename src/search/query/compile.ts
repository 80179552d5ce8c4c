import type { Parameters, Sender } from '#index';
import type { Expression, Query, SenderField } from './expression.ts';
import type { Value } from './tokens.ts';
import { hasWildcard, likeEscape, likePattern, nameMatcher } from './wildcard.ts';

/** A condition on rows of `lines`. Nothing that was typed stands in `where`: it is all in `parameters`. */
export type Compiled = { where: string; parameters: Parameters; regexes: { name: string; column: number }[] };

/**
 * The SQL of a query.
 * @param senders everybody known: names are looked up here, so that the table is asked for exact names
 */
export const compileQuery = (query: Query, senders: readonly Sender[]): Compiled => {
  const binder = new Binder(senders);
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
  readonly senders: readonly Sender[];

  constructor(senders: readonly Sender[]) {
    this.senders = senders;
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

  /** Names of this kind that pass. */
  names(field: SenderField, matches: (name: string) => boolean): string[] {
    const names = new Set<string>();
    for (const sender of this.senders) names.add(sender[field]);
    return [...names].filter(matches);
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
      return namesSql(
        expression.field,
        binder.names(expression.field, nameMatcher(expression.value)),
        binder,
      );
    case 'severity':
    case 'facility':
      return expression.numbers.length === 0
        ? 'false'
        : `${expression.kind} IN (${expression.numbers.join(', ')})`;
    case 'pid':
      return `ifNull(pid = ${binder.bind('UInt32', expression.pid)}, false)`;
    case 'address':
      return `(entry = ${binder.bind('UInt64', expression.entry)} AND line = ${binder.bind('UInt32', expression.line)} AND part = ${binder.bind('UInt32', expression.part)})`;
    case 'named':
      return namedSql(expression.name, expression.value, binder);
  }
};

const namesSql = (field: SenderField, names: readonly string[], binder: Binder): string =>
  names.length === 0 ? 'false' : `${field} IN ${binder.bind('Array(String)', names)}`;

/**
 * Text in the message, or in the name of the app or host. The token index answers ILIKE for one run of letters and
 * digits; of text with more of them the longest run is asked for as well, so that the index has something to go by.
 */
const textSql = (value: Value, binder: Binder): string => {
  if (value.text === '' || (hasWildcard(value) && /^\*+$/.test(value.text))) return 'true';
  const whole = `message ILIKE ${binder.bind('String', `%${likePattern(value)}%`)}`;
  const run = longestRun(value.text);
  const message =
    run.length < 4 || run === value.text
      ? whole
      : `(message ILIKE ${binder.bind('String', `%${likeEscape(run)}%`)} AND ${whole})`;
  const matches = containsMatcher(value);
  const names = (['app', 'host'] as const)
    .map((field) => namesSql(field, binder.names(field, matches), binder))
    .filter((condition) => condition !== 'false');
  return names.length === 0 ? message : `(${[message, ...names].join(' OR ')})`;
};

const longestRun = (text: string): string =>
  text.split(/[^0-9A-Za-z]+/).reduce((longest, run) => (run.length > longest.length ? run : longest), '');

const containsMatcher = (value: Value): ((name: string) => boolean) => {
  if (hasWildcard(value)) return nameMatcher({ ...value, text: `*${value.text}*` });
  const wanted = value.text.toLowerCase();
  return (name) => name.toLowerCase().includes(wanted);
};

const namedSql = (name: string, value: Value, binder: Binder): string => {
  const key = binder.bind('String', name);
  const present = `mapContains(fields, ${key})`;
  if (!value.quoted && value.text === '*') return present;
  return `(${present} AND fields[${key}] ILIKE ${binder.bind('String', likePattern(value))})`;
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
