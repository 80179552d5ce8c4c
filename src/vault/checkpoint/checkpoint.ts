import { parseBase64, parseDecimal, hashSize, VaultFormatError } from '#vault/tree';
import { noteText, openNote } from './note.ts';
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

/** @throws VaultFormatError unless it is well-formed, and signed by `vkey` for the origin of that name */
export const openCheckpoint = (note: Buffer, vkey: Vkey): Checkpoint => {
  const checkpoint = parseText(openNote(note, vkey), note);
  if (checkpoint.origin !== vkey.name)
    throw new VaultFormatError(`checkpoint of ${checkpoint.origin}, expected ${vkey.name}`);
  return checkpoint;
};

/** A checkpoint whose signature was NOT checked. @throws VaultFormatError */
export const parseCheckpoint = (note: Buffer): Checkpoint => parseText(noteText(note), note);

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
