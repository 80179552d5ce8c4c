import { isIP } from 'node:net';
import { facilityNames, facilityNumber, severityNames, severityNumber } from '#index/priority';
import { parseLineAddress } from '#vault/record';
import { badQuery } from '../errors.ts';
import { nearest, nearestField, fieldNames, type FieldName } from './field-names.ts';
import type { Around, Comparison, Expression, SenderField } from './expression.ts';
import { parseNetwork } from './network.ts';
import type { Value } from './tokens.ts';
import { hasWildcard, nameMatcher } from './wildcard.ts';
import { parseDuration } from './when.ts';

/** Fields that say something of a line, and not of the whole query. */
export type LineField = Exclude<FieldName, 'received' | 'since' | 'until' | 'around'>;

/** `field:value`; of `a,b` either will do. @throws SearchError `bad-query` */
export const fieldExpression = (field: LineField, value: Value): Expression => {
  if (field === 'message') return { kind: 'text', value, where: 'message' };
  if (field === 'address') return address(value);
  const values = listed(value);
  const of = values.map((one) => single(field, one));
  return of.length === 1 && of[0] !== undefined ? of[0] : { kind: 'or', of };
};

const single = (field: Exclude<LineField, 'message' | 'address'>, value: Value): Expression => {
  switch (field) {
    case 'severity':
      return { kind: 'severity', numbers: severities(value) };
    case 'facility':
      return { kind: 'facility', numbers: facilities(value) };
    case 'pid':
      return pid(value);
    default:
      return sender(field, value);
  }
};

const listed = (value: Value): Value[] => {
  if (value.quoted || !value.text.includes(',')) return [value];
  let column = value.column;
  return value.text.split(',').flatMap((text) => {
    const one = { text, quoted: false, column };
    column += text.length + 1;
    return text === '' ? [] : [one];
  });
};

/** An address means itself however it is written, `10.0.0.0/8` all addresses of a network. */
const sender = (field: SenderField, value: Value): Expression => {
  const whole: Expression = { kind: 'sender', question: { field, ask: 'whole', value } };
  if (value.quoted || (field !== 'source' && field !== 'host')) return whole;
  const { text, column } = value;
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  const network = parseNetwork(
    isIP(bare) === 0 || bare.includes('%') ? text : `${bare}/${isIP(bare) === 4 ? 32 : 128}`,
  );
  if (network !== null) return { kind: 'sender', question: { field, ask: 'network', network } };
  if (/^[0-9A-Fa-f:.[\]]+\/[\d.]*$/.test(text))
    throw badQuery(
      `"${text}" is no network`,
      column,
      `write an address and how many of its bits count: ${field}:10.0.0.0/8 (0 to 32), ${field}:2001:db8::/32 (0 to 128)`,
    );
  if (/^\d+(?:\.\d+){3}$/.test(text))
    throw badQuery(`"${text}" is no address`, column, `quote it if a name is meant: ${field}:"${text}"`);
  return whole;
};

const comparisons: readonly Comparison[] = ['<=', '>=', '<', '>'];

/** `<=err` in its two parts; without a comparison `=`. */
const compared = (value: Value): { comparison: Comparison | '='; text: string; column: number } => {
  const found = comparisons.find((known) => value.text.startsWith(known));
  const sign = found ?? (value.text.startsWith('=') ? '=' : '');
  return {
    comparison: found ?? '=',
    text: value.text.slice(sign.length),
    column: value.column + (value.quoted ? 1 : 0) + sign.length,
  };
};

const severities = (value: Value): number[] => {
  const { comparison, text, column } = compared(value);
  const all = [0, 1, 2, 3, 4, 5, 6, 7];
  if (comparison === '=' && hasWildcard(value)) {
    const matches = nameMatcher(value);
    return all.filter((number) => matches(severityNames[number] ?? ''));
  }
  const number = severityNumber(text);
  if (number === null && /^!=?/.test(text)) {
    throw badQuery(
      `"${text}" is no severity`,
      column,
      `to leave one out write -severity:${text.replace(/^!=?/, '')}`,
    );
  }
  if (number === null) {
    const near = nearest(text, severityNames);
    throw badQuery(
      `"${text}" is no severity`,
      column,
      `${near === null ? '' : `did you mean ${near}? `}emerg, alert, crit, err, warning, notice, info or debug; <=err asks for err and worse`,
    );
  }
  return all.filter((one) => isTrue(one, comparison, number));
};

const isTrue = (a: number, comparison: Comparison | '=', b: number): boolean => {
  switch (comparison) {
    case '<=':
      return a <= b;
    case '<':
      return a < b;
    case '>=':
      return a >= b;
    case '>':
      return a > b;
    case '=':
      return a === b;
  }
};

const facilities = (value: Value): number[] => {
  const exact = facilityNumber(value.text);
  if (exact !== null) return [exact];
  const matches = nameMatcher(value);
  const numbers = facilityNames.flatMap((name, number) => (matches(name) ? [number] : []));
  if (numbers.length > 0 || hasWildcard(value)) return numbers;
  const near = nearest(value.text, facilityNames);
  throw badQuery(
    `"${value.text}" is no facility`,
    value.column,
    near === null ? `one of ${facilityNames.join(', ')}` : `did you mean ${near}?`,
  );
};

const pid = (value: Value): Expression => {
  const { comparison, text, column } = compared(value);
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0xffff_ffff)
    throw badQuery('a pid is a number', column, 'e.g. pid:812');
  return { kind: 'pid', comparison, pid: Number(text) };
};

const address = (value: Value): Expression => {
  const parsed = parseLineAddress(value.text);
  if (parsed === null)
    throw badQuery(
      `"${value.text}" is no address`,
      value.column,
      'an address is entry:line, as hits show it, e.g. address:12:3',
    );
  return { kind: 'address', entry: parsed.entry, line: parsed.line, part: parsed.part };
};

const aroundByDefault = 60_000_000;

/** `12:7`, `12:7/4` (a part of a body), each with `/30s`: how far to both sides. Default: a minute. */
export const parseAround = (value: Value): Around => {
  const cut = value.text.lastIndexOf('/');
  const duration = cut < 0 ? null : parseDuration(value.text.slice(cut + 1));
  const parsed = parseLineAddress(duration === null ? value.text : value.text.slice(0, cut));
  if (parsed === null)
    throw badQuery(
      `"${value.text}" is no address`,
      value.column,
      'write the address of a line as hits show it, and how far to look: around:12:3 (a minute to both sides), around:12:3/30s; what was at a time is found by since: and until:',
    );
  return {
    entry: parsed.entry,
    line: parsed.line,
    part: parsed.part,
    within: duration ?? aroundByDefault,
    column: value.column,
  };
};

/** A near name if there is one, and how to search for the text as it stands. */
export const unknownField = (name: string, value: Value, column: number): Error => {
  const shown = value.quoted ? `"${value.text}"` : value.text;
  const near = nearestField(name);
  const asText = `to search for this text, quote it: "${name}:${value.text}"`;
  return badQuery(
    `there is no field "${name}"`,
    column,
    near !== null
      ? `did you mean ${near}:${shown}? ${asText}`
      : `for what was taken from the line write ${name}=${shown}; ${asText}; fields with a colon are ${fieldNames.join(', ')}`,
  );
};
