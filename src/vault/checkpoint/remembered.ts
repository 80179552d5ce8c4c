import { openCosignature, type WitnessVkey } from './cosignature.ts';
import { parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { isBy, isSigned, parseNote } from './note.ts';
import type { Vkey } from './vkey.ts';

/** Whose word on what a log once signed is taken. */
export type Trusted = {
  /** The log's key of now; its name is the origin. */
  vkey: Vkey;
  /** Witnesses that the operator has named. */
  witnesses: readonly WitnessVkey[];
};

/** A checkpoint of the log that somebody remembers, and who vouches for it. */
export type RememberedCheckpoint = {
  checkpoint: Checkpoint;
  /** Valid cosignatures; time in seconds since 1970. */
  cosignedBy: { witness: WitnessVkey; time: number }[];
};

/**
 * A note from outside that counts as a checkpoint of this log: signed by the log's key of now, or cosigned by a trusted
 * witness, whatever log key it bears. For a witness cosigns only what a key of the log has signed, and a state that was
 * put back to before a rotation does not know the key that signed what it has lost.
 * @returns `null` for whatever is neither, and for a note with a line that claims to be by the log's key and does not match
 */
export const openRemembered = (note: Buffer, { vkey, witnesses }: Trusted): RememberedCheckpoint | null => {
  const checkpoint = valid(() => parseCheckpoint(note));
  if (checkpoint?.origin !== vkey.name) return null;
  const { text, signatures } = parseNote(note);
  const own = signatures.find((signature) => isBy(signature, vkey));
  if (own !== undefined && !isSigned(text, own, vkey)) return null;
  const cosignedBy = witnesses.flatMap((witness) => {
    const time = valid(() => openCosignature(note, witness));
    return time === null ? [] : [{ witness, time }];
  });
  return own !== undefined || cosignedBy.length > 0 ? { checkpoint, cosignedBy } : null;
};

const valid = <T>(open: () => T): T | null => {
  try {
    return open();
  } catch {
    return null;
  }
};
