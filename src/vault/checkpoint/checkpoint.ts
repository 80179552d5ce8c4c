import { parseBase64, parseDecimal, hashSize, VaultFormatError } from '#vault/tree';
import { isBy, isSigned, parseNote, type NoteSignature } from './note.ts';
import { isKeyName, type Vkey } from './vkey.ts';

/** What a checkpoint says: this log has this size and this root (C2SP tlog-checkpoint, no extension lines). */
export type Checkpoint = {
  origin: string;
  size: number;
  /** 32 bytes */
  root: Buffer;
  /** The signed note as it is on disk. */
  note: Buffer;
};

export const checkpointText = (origin: string, size: number, root: Buffer): string =>
  `${origin}\n${size}\n${root.toString('base64')}\n`;

/**
 * A log's own checkpoint: it has one signature, by `vkey`; or, where the log's key was replaced with it, two under the
 * log's name, one of them by `vkey`. Nothing else is accepted, cosignatures neither: those stand beside it.
 * @throws VaultFormatError unless it is well-formed, and signed by `vkey` for the origin of that name
 */
export const openCheckpoint = (note: Buffer, vkey: Vkey): Checkpoint => {
  const { text, signatures } = parseNote(note);
  if (signatures.length > 2)
    throw new VaultFormatError(`a checkpoint has one signature, or two, not ${signatures.length}`);
  if (signatures.some(({ name, signature }) => name !== vkey.name || signature.length !== 64))
    throw new VaultFormatError(`signed by another key than ${vkey.name}`);
  assertSigned(text, signatures, vkey);
  return originChecked(parseText(text, note), vkey);
};

/**
 * A checkpoint that others may have signed too (witnesses, keys that are not known): one signature must be by `vkey`.
 * @throws VaultFormatError
 */
export const openCosigned = (note: Buffer, vkey: Vkey): Checkpoint => {
  const { text, signatures } = parseNote(note);
  assertSigned(text, signatures, vkey);
  return originChecked(parseText(text, note), vkey);
};

const assertSigned = (text: string, signatures: readonly NoteSignature[], vkey: Vkey): void => {
  const own = signatures.find((signature) => isBy(signature, vkey));
  if (own === undefined) throw new VaultFormatError(`signed by another key than ${vkey.name}`);
  if (!isSigned(text, own, vkey)) throw new VaultFormatError(`the signature of ${vkey.name} does not match`);
};

const originChecked = (checkpoint: Checkpoint, vkey: Vkey): Checkpoint => {
  if (checkpoint.origin !== vkey.name)
    throw new VaultFormatError(`checkpoint of ${checkpoint.origin}, expected ${vkey.name}`);
  return checkpoint;
};

/** A checkpoint whose signatures were NOT checked. @throws VaultFormatError */
export const parseCheckpoint = (note: Buffer): Checkpoint => parseText(parseNote(note).text, note);

const parseText = (text: string, note: Buffer): Checkpoint => {
  const [origin = '', sizeText = '', rootText = '', ...rest] = text.split('\n');
  const size = parseDecimal(sizeText);
  const root = parseBase64(rootText);
  if (
    !isKeyName(origin) ||
    size === null ||
    root === null ||
    root.length !== hashSize ||
    rest.length !== 1 ||
    rest[0] !== ''
  ) {
    throw new VaultFormatError('not a checkpoint of origin, size and root');
  }
  return { origin, size, root, note };
};
