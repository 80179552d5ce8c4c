export { VaultError, type VaultErrorCode } from '../errors.ts';
export { ageOf, recentSeconds, type Checkpoint } from '#vault/checkpoint';
export type { BatchEntry, Entry } from '#vault/tree';
export { nobodyWatches, readOutsideMemory, type OutsideMemory } from './outside-memory.ts';
export { openVault, type Batch, type OuterEntry, type VaultReader } from './reader.ts';
export type { Amended, Amendments } from './amended.ts';
export { holdOn, holdsOf, type Hold } from './holds.ts';
