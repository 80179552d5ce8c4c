export { costsOf } from './costs.ts';
export { diffOf } from './diff.ts';
export { FixError, type FixErrorCode } from './errors.ts';
export { fix, useText, type FixRequest, type FixResult } from './fix.ts';
export type { Fixer } from './fixer.ts';
export { openingOf, readJournals, stateOf, type Entry, type Journal } from './journal.ts';
export { makePlan, overridden, type Plan } from './plan.ts';
export { riskNames, type RiskName } from './risks.ts';
export { confirm, undo, type UndoRequest } from './undo.ts';
