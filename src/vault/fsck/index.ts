export { inspectState, type Condition, type StateReport } from './inspect.ts';
export { restoreFrom, type Restored, type RestoreOptions } from './restore.ts';
export { waitingFor, type Waiting } from './waiting.ts';
