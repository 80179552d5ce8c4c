import { micros, type Micros } from '#base/clock';
import { badQuery } from '../errors.ts';
import type { Expression } from './expression.ts';
import type { Operator, Value } from './tokens.ts';
import { parseWhen } from './when.ts';

const day = 86_400_000_000;

/**
 * When a line came, whatever time it claims: `received:1h`, `received>=2026-05-12`, `received<"2026-05-12 03:00"`. With a
 * day `<=` takes all of it, and `=` is that day. Unlike since: it may stand under OR and NOT.
 * @param operator `:` means `>=`
 * @throws SearchError `bad-query`
 */
export const receivedExpression = (operator: Operator | ':', value: Value, now: Micros): Expression => {
  const begin = parseWhen('since', value, now);
  const end = parseWhen('until', value, now);
  // Otherwise both are the same, or one is a time of today that is to come, and the other the last such one.
  const isDay = end === begin + day;
  switch (operator) {
    case ':':
    case '>=':
      return { kind: 'received', since: begin, until: null };
    case '>':
      return { kind: 'received', since: isDay ? end : micros(begin + 1), until: null };
    case '<':
      return { kind: 'received', since: null, until: isDay ? begin : end };
    case '<=':
      return { kind: 'received', since: null, until: isDay ? end : micros(end + 1) };
    case '=':
    case '!=':
      if (!isDay)
        throw badQuery(
          'nothing is received at exactly that moment',
          value.column,
          `write received>=${value.text}, received<${value.text}, or a day: received=2026-05-12`,
        );
      return operator === '='
        ? { kind: 'received', since: begin, until: end }
        : { kind: 'not', of: { kind: 'received', since: begin, until: end } };
  }
};

/** Whether it asks when lines came. */
export const asksWhenReceived = (expression: Expression): boolean =>
  expression.kind === 'received' ||
  (expression.kind === 'not' && asksWhenReceived(expression.of)) ||
  ((expression.kind === 'and' || expression.kind === 'or') && expression.of.some(asksWhenReceived));
