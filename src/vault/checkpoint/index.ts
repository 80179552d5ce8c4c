export { checkpointText, openCheckpoint, parseCheckpoint, type Checkpoint } from './checkpoint.ts';
export { encodeHistoryNote, lastHistoryNote, parseHistory } from './history.ts';
export { encodeLock, maxLock, parseLock, type LockRecord } from './lock.ts';
export { maxNote, signNote } from './note.ts';
export { formatVkey, isKeyName, parseVkey, type Vkey } from './vkey.ts';
