export { findIsolation } from './isolation.ts';
export { findLogging } from './logging.ts';
export { findPatches } from './patches.ts';
export { rankFindings } from './rank.ts';
export { findServices } from './services.ts';
export { AdviseError, type AdviseErrorCode } from './errors.ts';
