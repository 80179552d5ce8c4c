export { conditionOf, type Condition } from './condition.ts';
export { SearchError, type SearchErrorCode } from './errors.ts';
export { openFreshness, type FreshnessReader } from './freshness.ts';
export { hitColumns, readHits } from './hit.ts';
export { formSql } from './patterns/fold.ts';
export { parseQuery } from './query/parse.ts';
export type { ReadRoutes, RecordRead } from './reading.ts';
export { checkQuery } from './search.ts';
export { startSearchServer, type SearchServer } from './server.ts';
