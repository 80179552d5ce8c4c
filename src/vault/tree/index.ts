export { amendmentsPath, growAmendments, maxAmendments, parseAmendments } from './amendments.ts';
export { batchLeaves, batchSalts, saltSize } from './batch.ts';
export { encodeBundleEntry, maxBundle, maxEntry, parseBundle } from './bundle.ts';
export { parseBase64, parseDecimal, parseHash } from './decimal.ts';
export { edgeRoot, emptyEdge, growEdge, loadEdge, type Edge, type Growth, type TreeFile } from './edge.ts';
export { isEntryText, parseWord } from './entry-field.ts';
export {
  encodeEntry,
  isAmendment,
  parseEntry,
  type Amendment,
  type BatchEntry,
  type Entry,
  type EntryRange,
  type ExpireEntry,
  type HoldEntry,
  type KeyEntry,
  type RedactEntry,
  type ReleaseEntry,
  type StoredSegment,
} from './entry.ts';
export { VaultFormatError } from './format-error.ts';
export {
  emptyRoot,
  foldPeaks,
  hashAt,
  hashSize,
  leafHash,
  nodeHash,
  peaks,
  sha256,
  treeRoot,
} from './hash.ts';
export { consistencyPath, inclusionPath, verifyConsistency, verifyInclusion } from './proof.ts';
export { compactRange } from './range.ts';
export * from './segment.ts';
export {
  checkStaging,
  encodeStaging,
  maxStaging,
  maxUncommitted,
  parseStaging,
  parseStagingName,
  stagingName,
  type Staged,
} from './staging.ts';
export * from './tile-path.ts';
