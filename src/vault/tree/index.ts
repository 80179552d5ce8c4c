export { batchLeaves, batchSalts, saltSize } from './batch.ts';
export { encodeBundleEntry, maxBundle, parseBundle } from './bundle.ts';
export { parseBase64, parseDecimal, parseHash } from './decimal.ts';
export { edgeRoot, emptyEdge, growEdge, loadEdge, type Edge, type Growth, type TreeFile } from './edge.ts';
export { encodeEntry, parseEntry, type BatchEntry, type Entry } from './entry.ts';
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
