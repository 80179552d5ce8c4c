export { VaultError, type VaultErrorCode } from '../errors.ts';
export type { Checkpoint } from '#vault/checkpoint';
export type { BatchEntry, Entry } from '#vault/tree';
export { openVault, type Batch, type LineProof, type OuterEntry, type VaultReader } from './reader.ts';
