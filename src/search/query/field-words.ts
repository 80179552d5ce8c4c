import { equalsSign, fieldNameToken, fieldToken, fieldTokensSql } from '#index';
import type { Binder } from './binder.ts';
import type { Expression } from './expression.ts';
import { isField, isPlain, mayStandInText, pairSql } from './named-sql.ts';
import { nameRuns, runConditions, runsOf, type KnownWords } from './runs.ts';
import type { Value } from './tokens.ts';
import { hasWildcard } from './wildcard.ts';

/** What the indices of fields and of words say of the lines that a part asks for, as conditions for PREWHERE. */
export type FieldWords = {
  /** Of lines of which such a field was taken. `exact`: and of no others. */
  taken: string;
  exact: boolean;
  /** Of lines in whose message the pair may stand where no field was taken, and whether it does; `null`: in none. */
  text: { words: string; pair: string } | null;
};

/**
 * @param sql the condition that a part means
 * @returns `null` for a part that asks for something else
 */
export const fieldWords = (
  part: Expression,
  known: KnownWords,
  binder: Binder,
  sql: (part: Expression) => string,
): FieldWords | null => {
  switch (part.kind) {
    case 'named':
      return isField(part.name) ? namedWords(part, known, binder) : null;
    case 'compared':
    case 'in network':
      return { taken: hasToken(fieldNameToken(part.name), binder), exact: false, text: null };
    case 'or':
      return part.of.some(({ kind }) => kind === 'named' || kind === 'compared')
        ? either(
            part.of.map((one) => (isOfColumns(one) ? told(sql(one)) : fieldWords(one, known, binder, sql))),
          )
        : null;
    default:
      return null;
  }
};

/** True of each line that matches. */
export const necessary = ({ taken, text }: FieldWords): string =>
  text === null ? taken : `(${taken} OR ${text.words})`;

/** What is as quickly looked up as any index: `level=err` asks for the line's own severity too. */
const isOfColumns = ({ kind }: Expression): boolean =>
  kind === 'severity' || kind === 'facility' || kind === 'pid' || kind === 'sender';

const told = (sql: string): FieldWords => ({ taken: sql, exact: true, text: null });

const either = (of: readonly (FieldWords | null)[]): FieldWords | null => {
  const known = of.filter((one) => one !== null);
  if (known.length < of.length) return null;
  const texts = known.flatMap(({ text }) => (text === null ? [] : [text]));
  return {
    taken: anyOf(known.map(({ taken }) => taken)),
    exact: known.every(({ exact }) => exact),
    text:
      texts.length === 0
        ? null
        : { words: anyOf(texts.map(({ words }) => words)), pair: anyOf(texts.map(({ pair }) => pair)) },
  };
};

const anyOf = (conditions: readonly string[]): string => `(${conditions.join(' OR ')})`;

const namedWords = (
  { name, value }: Extract<Expression, { kind: 'named' }>,
  known: KnownWords,
  binder: Binder,
): FieldWords => {
  const isAny = value.text === '*' && !value.quoted;
  const isWhole = isPlain(value.text) && (value.quoted || !hasWildcard(value));
  const token = isWhole ? fieldToken(name, value.text) : null;
  return {
    taken: hasToken(token ?? fieldNameToken(name), binder),
    exact: isAny || token !== null,
    text: mayStandInText(name, value)
      ? { words: pairWords(name, value, known, binder), pair: pairSql(name, value, binder) }
      : null,
  };
};

const hasToken = (token: string, binder: Binder): string =>
  `has(${fieldTokensSql}, ${binder.bind('String', token)})`;

/** What stands beside the value ends a word, and what stands behind the name. */
const pairWords = (name: string, value: Value, known: KnownWords, binder: Binder): string => {
  const runs = [...nameRuns(name), ...runsOf({ text: `=${value.text} `, quoted: value.quoted })];
  return `(${[`bitAnd(flags, ${equalsSign}) != 0`, ...runConditions(runs, known, binder)].join(' AND ')})`;
};
