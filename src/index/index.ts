export type { Engine, Lane, Parameters } from './engine/engine.ts';
export { IndexError, type IndexErrorCode } from './errors.ts';
export {
  openIndex,
  type Index,
  type Indexed,
  type IndexOptions,
  type IndexState,
  type Trouble,
} from './indexer.ts';
export { Numbering, type Hole } from './numbering.ts';
export { facilityNames, severityNames, facilityNumber, severityNumber } from './parse/priority.ts';
export { machineZone, utc, type LocalTime } from './parse/timestamp.ts';
export { RowBinaryReader } from './project/row-binary.ts';
export type { AlteredEntry } from './progress.ts';
export { Senders, type Sender } from './senders.ts';
export { vaultSource, type EntryRead, type VaultSource } from './vault-source.ts';
