import { facilityNumber, severityNumber } from '#index/priority';
import { badQuery } from '../errors.ts';
import { fieldNamed } from './field-names.ts';
import { fieldExpression } from './field.ts';
import type { Expression } from './expression.ts';
import { parseNetwork } from './network.ts';
import type { Token } from './tokens.ts';

type Pair = Extract<Token, { kind: 'named' }>;

/**
 * `name=value`, `name!=value`, `name>=500`: of an extracted field. Who writes `host=web1` or `severity<=err` means the
 * line's own, too. `!=` asks for lines that have the field.
 * @throws SearchError `bad-query`
 */
export const pairExpression = (pair: Pair): Expression => {
  const { name, operator } = pair;
  const field = fieldNamed(name);
  if (field === 'since' || field === 'until' || field === 'around')
    throw badQuery(`${field} takes a colon`, pair.column, `write ${field}:${pair.value.text}`);
  if (operator === '!=') {
    const equal = pairExpression({ ...pair, operator: '=' });
    const present: Expression =
      field !== null && field !== 'message' && field !== 'address'
        ? { kind: 'all' }
        : { kind: 'named', name, value: { text: '*', quoted: false, column: pair.column } };
    return { kind: 'and', of: [present, { kind: 'not', of: equal }] };
  }
  const named = namedExpression(pair);
  const own = ownExpression(pair);
  if (own !== null && named !== null) return { kind: 'or', of: [own, named] };
  const only = own ?? named;
  if (only !== null) return only;
  throw badQuery(
    `"${pair.value.text}" is no number`,
    pair.value.column,
    `${operator} compares numbers, e.g. ${name}${operator}500; to search for this text, quote it: "${name}${operator}${pair.value.text}"`,
  );
};

/** What the line itself has under that name; `null` if there is nothing, or not with such a value. */
const ownExpression = ({ name, operator, value }: Pair): Expression | null => {
  const field = fieldNamed(name);
  switch (field) {
    case 'severity':
      return severityNumber(value.text) === null
        ? null
        : fieldExpression(field, {
            ...value,
            text: `${operator}${value.text}`,
            column: value.column - operator.length,
          });
    case 'pid':
      return /^\d{1,9}$/.test(value.text)
        ? fieldExpression(field, { ...value, text: `${operator}${value.text}` })
        : null;
    case 'facility':
      return operator === '=' && facilityNumber(value.text) !== null ? fieldExpression(field, value) : null;
    case 'host':
    case 'app':
    case 'source':
    case 'via':
    case 'listener':
      return operator === '=' ? fieldExpression(field, value) : null;
    default:
      return null;
  }
};

const namedExpression = ({ name, operator, value }: Pair): Expression | null => {
  if (operator === '=' || operator === '!=') {
    const network = value.quoted ? null : parseNetwork(value.text);
    const named: Expression = { kind: 'named', name, value };
    return network === null ? named : { kind: 'or', of: [named, { kind: 'in network', name, network }] };
  }
  const number = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(value.text)
    ? Number(value.text)
    : Number.NaN;
  return Number.isFinite(number) ? { kind: 'compared', name, comparison: operator, number } : null;
};
