import {
  formatSignature,
  isBy,
  openCosignature,
  openCosigned,
  parseNote,
  type Checkpoint,
  type Note,
  type NoteSignature,
  type Vkey,
  type WitnessVkey,
} from '#vault/checkpoint';
import type { Publication } from '#vault/tiles';
import { words, type Answer } from './answer.ts';

/** Bytes of a note that a witness may hand in. */
export const maxStatement = 8192;

/** What is said to the keeper, as an own line: docs/formats/vault.md, "Over HTTP". */
export type Statement =
  | { kind: 'cosignature'; size: number; note: string; witness: string }
  | { kind: 'contradiction'; ours: string; note: string };

export type Judged = { result: 'refused' | 'known'; answer: Answer } | { result: 'said'; lines: Statement[] };

export type Judges = {
  publication: Publication;
  vkey: Vkey;
  /** Witnesses whose cosignatures count. */
  witnesses: readonly WitnessVkey[];
  /**
   * What is done with cosignatures of others: those of this machine's own processes are passed on for the record;
   * from strangers they would be as many as they like to make.
   */
  others: 'passed on' | 'refused';
};

/**
 * What to do about a note that a witness handed in. Nothing of it is believed before our own key's signature on it was
 * checked, so only who has seen a checkpoint of this log gets any further.
 * @throws VaultError `corrupt`
 */
export const judge = (body: Buffer, asked: 'cosignature' | 'contradiction', judges: Judges): Judged => {
  const { publication, vkey } = judges;
  let note: Note;
  try {
    note = parseNote(body);
  } catch {
    return refused(400, 'this is no signed note (C2SP signed-note, canonical base64, at most 4096 bytes)');
  }
  let claimed: Checkpoint;
  try {
    claimed = openCosigned(body, vkey);
  } catch {
    return refused(403, 'no checkpoint that is signed by the key of this log (see /vkey)');
  }
  // Whatever it was handed in as: a checkpoint that our key signed and our log does not contain is evidence.
  if (!contains(publication, claimed)) {
    const lines: Statement[] = [
      {
        kind: 'contradiction',
        ours: publication.checkpoint.note.toString(),
        note: signedBy(note, isOurs(vkey)).toString(),
      },
    ];
    return { result: 'said', lines };
  }
  if (asked === 'contradiction')
    return {
      result: 'known',
      answer: words(200, `known: this log of ${publication.checkpoint.size} entries contains it`),
    };
  return cosigned(body, note, claimed, judges);
};

/** Bytes of an Ed25519 cosignature: a time and a signature. */
const cosignatureSize = 72;

const cosigned = (
  body: Buffer,
  note: Note,
  { size }: Checkpoint,
  { vkey, witnesses, others }: Judges,
): Judged => {
  const found = note.signatures.filter(
    (one) => !isOurs(vkey)(one) && one.signature.length === cosignatureSize,
  );
  if (found.length === 0)
    return refused(400, 'the note has no cosignature (C2SP tlog-cosignature, Ed25519) beside the log’s own');
  const counted = others === 'passed on' ? found : found.filter((one) => isByWitness(body, one, witnesses));
  if (counted.length === 0) return refused(403, 'no valid cosignature of a witness that this log asks');
  return {
    result: 'said',
    lines: counted.map((one): Statement => ({
      kind: 'cosignature',
      size,
      note: signedBy(note, (other) => other === one || isOurs(vkey)(other)).toString(),
      witness: one.name,
    })),
  };
};

const isByWitness = (body: Buffer, one: NoteSignature, witnesses: readonly WitnessVkey[]): boolean => {
  const witness = witnesses.find(({ name, keyId }) => name === one.name && keyId.equals(one.keyId));
  if (witness === undefined) return false;
  try {
    openCosignature(body, witness);
    return true;
  } catch {
    return false;
  }
};

const isOurs =
  (vkey: Vkey) =>
  (signature: NoteSignature): boolean =>
    isBy(signature, vkey);

/** Whether the log has this root at this size; by its tiles, which are under the signed root, not by its history. */
const contains = ({ checkpoint, tiles }: Publication, { size, root }: Checkpoint): boolean =>
  size <= checkpoint.size && tiles().rootAt(size).equals(root);

/** The note with those of its signatures that matter. */
const signedBy = (note: Note, matters: (signature: NoteSignature) => boolean): Buffer =>
  Buffer.from(`${note.text}\n${note.signatures.filter(matters).map(formatSignature).join('')}`);

const refused = (status: 400 | 403, message: string): Judged => ({
  result: 'refused',
  answer: words(status, message),
});
