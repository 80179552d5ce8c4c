import {
  formatSignature,
  isBy,
  isSigned,
  maxNote,
  openCosignature,
  openCosigned,
  openRemembered,
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
export const maxStatement = maxNote;

/** What is said to the keeper, as an own line: docs/formats/vault.md, "Over HTTP". */
export type Statement =
  | { kind: 'cosignature'; size: number; note: string; witness: string }
  | { kind: 'contradiction'; ours: string; note: string };

export type Judged = { result: 'refused' | 'known'; answer: Answer } | { result: 'said'; lines: Statement[] };

export type Judges = {
  publication: Publication;
  vkey: Vkey;
  /** Witnesses whose cosignatures count, and whose word on what this log once signed is passed on. */
  witnesses: readonly WitnessVkey[];
  /** Keys that the log had before. Asked for only where nobody else vouches for a note. */
  earlierKeys(): readonly Vkey[];
  /**
   * What is done with cosignatures of others: those of this machine's own processes are passed on for the record;
   * from strangers they would be as many as they like to make.
   */
  others: 'passed on' | 'refused';
};

/**
 * What to do about a note that a witness handed in. Nothing of it is believed before a signature on it was checked: of a
 * key of this log, or of a witness that it asks, whatever log key the note bears. So only who has seen a checkpoint of this
 * log gets any further.
 * @throws VaultError `corrupt`
 */
export const judge = (body: Buffer, asked: 'cosignature' | 'contradiction', judges: Judges): Judged => {
  const { publication } = judges;
  let note: Note;
  try {
    note = parseNote(body);
  } catch {
    return refused(400, 'this is no signed note (C2SP signed-note, canonical base64)');
  }
  const claimed = openRemembered(body, judges)?.checkpoint ?? byEarlierKey(body, judges);
  if (claimed === null)
    return refused(
      403,
      'no checkpoint that is signed by a key of this log (see /vkey), or cosigned by a witness that it asks',
    );
  // Whatever it was handed in as: a checkpoint of this log that it does not contain is evidence.
  if (!contains(publication, claimed)) {
    const lines: Statement[] = [
      {
        kind: 'contradiction',
        ours: publication.checkpoint.note.toString(),
        note: signedBy(note, evidenceIn(body, note, judges)).toString(),
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

/** Bytes of an Ed25519 signature, and of a cosignature: a time and a signature. */
const signatureSize = 64;
const cosignatureSize = 72;

const cosigned = (
  body: Buffer,
  note: Note,
  { size }: Checkpoint,
  { vkey, witnesses, others, earlierKeys }: Judges,
): Judged => {
  const found = note.signatures.filter(({ signature }) => signature.length === cosignatureSize);
  if (found.length === 0)
    return refused(400, 'the note has no cosignature (C2SP tlog-cosignature, Ed25519) beside the log’s own');
  const counted = others === 'passed on' ? found : found.filter((one) => isByWitness(body, one, witnesses));
  if (counted.length === 0) return refused(403, 'no valid cosignature of a witness that this log asks');
  const signedWith = (key: Vkey): NoteSignature[] =>
    note.signatures.filter((one) => isSigned(note.text, one, key));
  const ours = signedWith(vkey);
  const ofTheLog = ours.length > 0 ? ours : earlierKeys().flatMap(signedWith);
  return {
    result: 'said',
    lines: counted.map((one): Statement => ({
      kind: 'cosignature',
      size,
      note: signedBy(note, (other) => other === one || ofTheLog.includes(other)).toString(),
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

/** A signature line of the log's, by whatever key: named as the origin, and of the length that a log's has. */
const isLogs = ({ name, signature }: NoteSignature, vkey: Vkey): boolean =>
  name === vkey.name && signature.length === signatureSize;

/** Log signatures on one checkpoint: by the key in force, and where that was replaced there, by the one before. */
const mostLogSignatures = 2;

/**
 * The lines that go along with evidence: cosignatures that were checked, and the log's own. Of those a stranger could have
 * added some under keys that nobody knows.
 */
const evidenceIn = (
  body: Buffer,
  note: Note,
  { vkey, witnesses }: Judges,
): ((signature: NoteSignature) => boolean) => {
  const ofTheLog = note.signatures.filter((one) => isLogs(one, vkey));
  const kept = new Set(
    ofTheLog.toSorted((a, b) => Number(isBy(b, vkey)) - Number(isBy(a, vkey))).slice(0, mostLogSignatures),
  );
  return (one) => kept.has(one) || isByWitness(body, one, witnesses);
};

const byEarlierKey = (body: Buffer, { vkey, earlierKeys }: Judges): Checkpoint | null => {
  if (parseNote(body).signatures.every((one) => !isLogs(one, vkey))) return null;
  for (const earlier of earlierKeys()) {
    try {
      return openCosigned(body, earlier);
    } catch {
      // Not by this one.
    }
  }
  return null;
};

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
