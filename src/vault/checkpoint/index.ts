export {
  checkpointText,
  openCheckpoint,
  openCosigned,
  parseCheckpoint,
  type Checkpoint,
} from './checkpoint.ts';
export {
  ageOf,
  cosign,
  formatWitnessVkey,
  openCosignature,
  parseWitnessVkey,
  recentSeconds,
  type WitnessSigner,
  type WitnessVkey,
} from './cosignature.ts';
export { encodeHistoryNote, lastHistoryNote, parseHistory } from './history.ts';
export { encodeLock, maxLock, parseLock, type LockRecord } from './lock.ts';
export {
  formatSignature,
  isBy,
  isSigned,
  maxNote,
  parseNote,
  signNote,
  type Note,
  type NoteSignature,
  type NoteSigner,
} from './note.ts';
export { openRemembered, type RememberedCheckpoint, type Trusted } from './remembered.ts';
export { formatVkey, isKeyName, parseVkey, type Vkey } from './vkey.ts';
