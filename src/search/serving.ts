import type { Clock } from '#base/clock';
import type { OwnLog } from '#base/own-log';
import type { Index } from '#index';
import type { FreshnessReader } from './freshness.ts';

/** What a route of the search socket works with. */
export type Serving = {
  index: Index;
  clock: Clock;
  log: OwnLog;
  freshness: FreshnessReader;
  /** Aborted when the server stops. */
  ending: AbortSignal;
};
