import { Guessed } from '#index';
import { possibleRedelivery } from '../possible-redelivery.ts';
import { networkSql, type Binder } from './binder.ts';
import type { Comparison } from './expression.ts';
import type { Network } from './network.ts';
import type { Value } from './tokens.ts';
import { hasWildcard, likeEscape, likePattern, nameMatcher } from './wildcard.ts';

/** What the index says of a line, and not the line of itself: text of the message is not it. */
const said = /^(?:guessed|possible_redelivery|claimed_host_mismatch|conflicting_(?:number|key)|undecoded)$/;

/** Whether lines are asked for a field of that name, and not for what the index says of them. */
export const isField = (name: string): boolean => name !== 'guessed' && name !== possibleRedelivery.field;

/** Whether the pair counts too where it stands in the message and no field was taken. */
export const mayStandInText = (name: string, { text, quoted }: Value): boolean =>
  !said.test(name) && text !== '' && (quoted || text !== '*');

/** `name=value`: a field that was taken from the line, or the pair as it stands in the message. */
export const namedSql = (name: string, value: Value, binder: Binder): string => {
  if (name === 'guessed') return guessedSql(value);
  if (name === possibleRedelivery.field)
    return nameMatcher(value)('true') ? `bitAnd(flags, ${possibleRedelivery.bit}) != 0` : 'false';
  if (!value.quoted && value.text === '*') return `mapContains(fields, ${binder.bind('String', name)})`;
  const field = anyValue(name, valueSql(value, binder), binder);
  return mayStandInText(name, value) ? `(${field} OR ${pairSql(name, value, binder)})` : field;
};

/** Of ASCII, with nothing in it that cannot be seen. */
export const isPlain = (text: string): boolean => /^[ -~]+$/.test(text);

/** As the index of fields has it (fieldTokensSql), where it can. */
const valueSql = (value: Value, binder: Binder): ((text: string) => string) => {
  if (isPlain(value.text) && (value.quoted || !hasWildcard(value))) {
    const wanted = binder.bind('String', value.text.toLowerCase());
    return (text) => `lower(${text}) = ${wanted}`;
  }
  const pattern = binder.bind('String', likePattern(value));
  return (text) => `${text} ILIKE ${pattern}`;
};

export const comparedSql = (name: string, comparison: Comparison, number: number, binder: Binder): string => {
  const wanted = binder.bind('Float64', number);
  return anyValue(name, (text) => `ifNull(toFloat64OrNull(${text}) ${comparison} ${wanted}, false)`, binder);
};

export const inNetworkSql = (name: string, { first, last }: Network, binder: Binder): string =>
  anyValue(name, (text) => networkSql(text, first, last, binder), binder);

/** A condition on the values that a field has: of the same name there may be several. */
const anyValue = (name: string, condition: (text: string) => string, binder: Binder): string =>
  `arrayExists((k, v) -> k = ${binder.bind('String', name)} AND ${condition('v')}, mapKeys(fields), mapValues(fields))`;

/** Where no field was taken, as within a URL: nothing that could be part of the name before it, the value whole. */
export const pairSql = (name: string, value: Value, binder: Binder): string => {
  const inside = value.quoted
    ? escaped(value.text)
    : value.text.split('*').map(escaped).join('[^\\s"\',;&]*');
  const pattern = `(?i)(?:^|[^0-9A-Za-z_.@-])${escaped(name)}=["']?${inside}(?:$|[\\s"',;&)\\]}>|]|\\.(?:$|\\s))`;
  const start = value.quoted ? value.text : (value.text.split('*', 1)[0] ?? '');
  const literal = likeEscape(`${name}=${/^[0-9A-Za-z]/.test(start) ? start : ''}`);
  return `(message ILIKE ${binder.bind('String', `%${literal}%`)} AND match(message, ${binder.bind('String', pattern)}))`;
};

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

/** `guessed=year`: what a hit shows as a field is a bit of each row. */
const guessedSql = (value: Value): string => {
  const asked = nameMatcher(value);
  const bits = Object.entries(Guessed).reduce((all, [name, bit]) => (asked(name) ? all | bit : all), 0);
  return bits === 0 ? 'false' : `bitAnd(flags, ${bits}) != 0`;
};
