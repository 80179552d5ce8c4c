import { isBy, isSigned, type Note, type NoteSignature, type Vkey } from '#vault/checkpoint';

/** The logs that are witnessed: by origin, every key that is trusted for it (two while a log changes its key). */
export type KnownLogs = ReadonlyMap<string, readonly Vkey[]>;

/** A log is named by the name of its key: origin and key name are the same (tlog-checkpoint recommends it). */
export const knownLogs = (vkeys: readonly Vkey[]): KnownLogs => Map.groupBy(vkeys, ({ name }) => name);

/**
 * The log's own signatures on a note. Those by unknown keys are left out. A line that claims to be by a known key and
 * does not match spoils the whole note (signed-note).
 * @returns none where the note is not the log's
 */
export const logSignatures = ({ text, signatures }: Note, vkeys: readonly Vkey[]): NoteSignature[] => {
  const own: NoteSignature[] = [];
  for (const signature of signatures) {
    const vkey = vkeys.find((known) => isBy(signature, known));
    if (vkey === undefined) continue;
    if (!isSigned(text, signature, vkey)) return [];
    own.push(signature);
  }
  return own;
};
