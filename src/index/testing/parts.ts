import { readBody } from '../parse/bodies/body.ts';
import { Budget, budgetLimits, type BudgetLimits } from '../parse/bodies/budget.ts';
import type { BodyMeta } from '../parse/bodies/format.ts';
import type { Part } from '../parse/bodies/part.ts';
import { utc } from '../parse/timestamp.ts';
import { received } from './seen.ts';

const context = { received, local: utc };

/** Lines of a body; one of JSON lines where nothing else is said. */
export const partsOf = (
  raw: Buffer | string,
  meta: Partial<BodyMeta>,
  limits: Partial<BudgetLimits> = {},
): Part[] => [
  ...readBody(
    Buffer.from(raw),
    { format: 'jsonl', type: '', encoding: 'identity', key: '', ...meta },
    context,
    new Budget({ ...budgetLimits, ...limits }),
  ),
];
