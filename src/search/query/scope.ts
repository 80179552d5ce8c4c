import type { Sender } from '#index';
import { asksForOwnLines } from './compile.ts';
import type { Expression, Query } from './expression.ts';
import { nameMatcher } from './wildcard.ts';

type Verdict = 'yes' | 'no' | 'maybe';

/**
 * Whether a line of this sender could be among the hits, going by what the query says of senders and time. What it says
 * of the text is not looked at: a line that is missing might have had it.
 */
export const inScope = (query: Query, sender: Sender): boolean => {
  if (query.since !== null && sender.last < query.since) return false;
  if (query.until !== null && sender.first >= query.until) return false;
  if ((sender.via === 'fact' || sender.via === 'self') && !asksForOwnLines(query.expression)) return false;
  return judge(query.expression, sender) !== 'no';
};

const judge = (expression: Expression, sender: Sender): Verdict => {
  switch (expression.kind) {
    case 'all':
      return 'yes';
    case 'and': {
      const verdicts = expression.of.map((part) => judge(part, sender));
      return verdicts.includes('no') ? 'no' : verdicts.includes('maybe') ? 'maybe' : 'yes';
    }
    case 'or': {
      const verdicts = expression.of.map((part) => judge(part, sender));
      return verdicts.includes('yes') ? 'yes' : verdicts.includes('maybe') ? 'maybe' : 'no';
    }
    case 'not': {
      const verdict = judge(expression.of, sender);
      return verdict === 'yes' ? 'no' : verdict === 'no' ? 'yes' : 'maybe';
    }
    case 'sender':
      return nameMatcher(expression.value)(sender[expression.field]) ? 'yes' : 'no';
    default:
      return 'maybe';
  }
};
