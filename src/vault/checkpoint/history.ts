import { VaultFormatError } from '#vault/tree';
import { maxNote } from './note.ts';

/**
 * A history file keeps published checkpoints in order: (u16 length, big-endian ‖ note)*. Entries of the log pin the
 * SHA-256 of each (`prev`), so none can be taken out or exchanged.
 */
export const encodeHistoryNote = (note: Buffer): Buffer => {
  if (note.length > maxNote) throw new RangeError(`a checkpoint is limited to ${maxNote} bytes`);
  const length = Buffer.allocUnsafe(2);
  length.writeUInt16BE(note.length);
  return Buffer.concat([length, note]);
};

/**
 * The notes of a history file, as views, up to the first thing that is not one.
 * @returns `rest`: bytes from there on; 0 for a whole file
 */
export const parseHistory = (bytes: Buffer): { notes: Buffer[]; rest: number } => {
  const notes: Buffer[] = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const next = at + 2 + bytes.readUInt16BE(at);
    if (next > bytes.length || next === at + 2 || next - at - 2 > maxNote) break;
    notes.push(bytes.subarray(at + 2, next));
    at = next;
  }
  return { notes, rest: bytes.length - at };
};

/** The last note of a whole history file. @throws VaultFormatError */
export const lastHistoryNote = (bytes: Buffer): Buffer => {
  const { notes, rest } = parseHistory(bytes);
  const last = notes.at(-1);
  if (rest > 0 || last === undefined)
    throw new VaultFormatError('history file does not end with a whole checkpoint');
  return last;
};
