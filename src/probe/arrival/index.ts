export { countArrivals, type Counting } from './count.ts';
export { ArrivalError, type ArrivalErrorCode } from './errors.ts';
export type { Counted } from './ruleset.ts';
