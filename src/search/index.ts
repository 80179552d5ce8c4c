export { SearchError, type SearchErrorCode } from './errors.ts';
export { openFreshness, type FreshnessReader } from './freshness.ts';
export { parseQuery } from './query/parse.ts';
export type { RecordRead } from './reading.ts';
export { startSearchServer, type SearchServer } from './server.ts';
