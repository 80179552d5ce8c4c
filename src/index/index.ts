export type { Engine, Lane, OtherVault, Parameters } from './engine/engine.ts';
export { addressTokensSql } from './address-tokens.ts';
export { fieldNameToken, fieldToken, fieldTokensSql } from './field-tokens.ts';
export { messageTemplate, variable } from './template.ts';
export { IndexError, type IndexErrorCode } from './errors.ts';
export type { Indexed, IndexState, Trouble } from './index-state.ts';
export { openIndex, type Index, type IndexOptions, type IndexServer } from './indexer.ts';
export type { LedgerVersion } from './ledger-lines.ts';
export { Numbering, type Hole } from './numbering.ts';
export { Guessed } from './parse/parsed.ts';
export { facilityNames, severityNames, facilityNumber, severityNumber } from './parse/priority.ts';
export { machineZone, utc, type LocalTime } from './parse/timestamp.ts';
export { claimedOf, restored, type Abridged } from './project/restored.ts';
export { RowBinaryReader } from './project/row-binary.ts';
export type { AlteredEntry } from './progress.ts';
export { claimedHostMismatch, conflictingNumber, equalsSign, parserVersion } from './project/row.ts';
export { tables } from './schema.ts';
export { Senders, type Others, type Sender } from './senders.ts';
export { countSenders } from './senders-table.ts';
export type { Withdrawn } from './withdrawn.ts';
export {
  meansAltered,
  vaultSource,
  type EntryRead,
  type KeyReader,
  type Rechecked,
  type VaultSource,
} from './vault-source.ts';
export type { Words } from './words/words.ts';
