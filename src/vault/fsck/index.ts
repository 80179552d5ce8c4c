export { inspectState, type Condition, type StateReport } from './inspect.ts';
export { restoreFrom, type Restored } from './restore.ts';
