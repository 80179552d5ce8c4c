import type { Sender } from '#index';
import { asksForOwnLines } from './compile.ts';
import type { Expression, Query, SenderField } from './expression.ts';
import { questionMatcher } from './wildcard.ts';

type Verdict = 'yes' | 'no' | 'maybe';

/**
 * Whether a line of this sender could be among the hits, going by what the query says of senders and time. What it says
 * of the text is not looked at: a line that is missing might have had it.
 */
export const inScope = (query: Query, sender: Sender): boolean => {
  if (query.since !== null && sender.last < query.since) return false;
  if (query.until !== null && sender.first >= query.until) return false;
  if ((sender.via === 'fact' || sender.via === 'self') && !asksForOwnLines(query.expression)) return false;
  return judge(query.expression, (field) => sender[field]) !== 'no';
};

/** The same of a sender of which nothing but its address is known. */
export const couldBeFrom = (query: Query, source: string): boolean =>
  judge(query.expression, (field) => (field === 'source' ? source : null)) !== 'no';

/** What is known of a sender; `null`: nothing. */
type Known = (field: SenderField) => string | null;

const judge = (expression: Expression, known: Known): Verdict => {
  switch (expression.kind) {
    case 'all':
      return 'yes';
    case 'and': {
      const verdicts = expression.of.map((part) => judge(part, known));
      return verdicts.includes('no') ? 'no' : verdicts.includes('maybe') ? 'maybe' : 'yes';
    }
    case 'or': {
      const verdicts = expression.of.map((part) => judge(part, known));
      return verdicts.includes('yes') ? 'yes' : verdicts.includes('maybe') ? 'maybe' : 'no';
    }
    case 'not': {
      const verdict = judge(expression.of, known);
      return verdict === 'yes' ? 'no' : verdict === 'no' ? 'yes' : 'maybe';
    }
    case 'sender': {
      const name = known(expression.question.field);
      return name === null ? 'maybe' : questionMatcher(expression.question)(name) ? 'yes' : 'no';
    }
    default:
      return 'maybe';
  }
};
