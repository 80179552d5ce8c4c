import { join } from 'node:path';
import {
  maxNote,
  openCosignature,
  openCosigned,
  parseCheckpoint,
  parseNote,
  parseWitnessVkey,
  type Checkpoint,
  type NoteSignature,
  type Vkey,
  type WitnessVkey,
} from '#vault/checkpoint';
import { witnessedPath } from '#vault/tree';
import { readBounded } from './files.ts';
import type { SplitView } from './freshness.ts';
import { cannotRead, messageOf, type Findings, type SeenNote } from './report.ts';

/** What a note that somebody outside remembers says of this log. */
export type OutsideNote =
  /** The log contains it. `published`: it comes from the vault itself, and only what witnesses say in it counts. */
  | { kind: 'contained'; name: string; source: 'given' | 'published'; size: number; heard: Heard[] }
  | { kind: 'ahead'; name: string; size: number }
  | { kind: 'forked'; name: string; split: SplitView }
  /** That it is there speaks against the log, whatever is in it. */
  | { kind: 'convicting'; name: string; why: string }
  | { kind: 'unusable'; name: string; why: string };

/** What a known witness has cosigned, and when, in seconds since 1970. */
export type Heard = { by: string; size: number; seconds: number };

export const newestHeard = (heard: readonly Heard[]): Heard | null =>
  heard.reduce<Heard | null>(
    (a, b) => (a === null || b.seconds > a.seconds || (b.seconds === a.seconds && b.size > a.size) ? b : a),
    null,
  );

/** The log, as far as notes are held against it. */
export type LogView = {
  target: Checkpoint;
  /** Root at a size up to the target's, as the entries give it; `null` where they do not. */
  rootAt: (size: number) => Buffer | null;
  /** A published checkpoint of this size, or the newest. */
  checkpointAt: (size: number) => Buffer;
  /** Keys by which a checkpoint of this size may be signed. */
  keysAt: (size: number) => readonly Vkey[];
};

/** `checkpoint.witnessed`, or why it cannot be read; `null` where there is none. */
export type Witnessed = Buffer | null | { what: string; unseen?: true };

/** Sizes at which the root will be asked for, as far as notes can be read. */
export const sizesOf = (notes: readonly Buffer[]): Set<number> => {
  const sizes = new Set<number>();
  for (const note of notes) {
    try {
      sizes.add(parseCheckpoint(note).size);
    } catch {
      // Said when it is judged.
    }
  }
  return sizes;
};

export const parseWitnesses = (texts: readonly string[], findings: Findings): WitnessVkey[] =>
  texts.flatMap((text) => {
    try {
      return [parseWitnessVkey(text)];
    } catch (error) {
      findings.add({ file: 'witness key', what: messageOf(error), unseen: true });
      return [];
    }
  });

/** Holds notes that were given against the log, and against each other. */
export const judgeSeen = (
  seen: readonly SeenNote[],
  witnesses: readonly WitnessVkey[],
  log: LogView,
  findings: Findings,
): OutsideNote[] => {
  const opened: { name: string; checkpoint: Checkpoint }[] = [];
  return seen.map(({ name, note }): OutsideNote => {
    const own = openOwn(note, log);
    // A state that was put back to before its key was replaced does not know the key on a newer note; its witness did.
    const checkpoint = typeof own === 'string' ? (vouchedFor(note, log, witnesses) ?? own) : own;
    if (typeof checkpoint === 'string') return { kind: 'unusable', name, why: checkpoint };
    const other = opened.find(
      (one) => one.checkpoint.size === checkpoint.size && !one.checkpoint.root.equals(checkpoint.root),
    );
    opened.push({ name, checkpoint });
    if (other !== undefined) {
      findings.add({ file: name, what: `forked: it contradicts ${other.name} at size ${checkpoint.size}` });
      const ours = other.checkpoint.note.toString('utf8');
      return {
        kind: 'forked',
        name,
        split: { by: `${name} against ${other.name}`, theirs: note.toString('utf8'), ours },
      };
    }
    const judged = judge(name, checkpoint, log, findings);
    if (judged !== null) return judged;
    const heard = cosigned(checkpoint, witnesses).map((one) => ({ ...one, by: `${one.by} (${name})` }));
    return { kind: 'contained', name, source: 'given', size: checkpoint.size, heard };
  });
};

/** Checks `checkpoint.witnessed`, where there is one: text and log signature, and the witnesses that are known. */
export const judgeWitnessed = (
  note: Witnessed,
  witnesses: readonly WitnessVkey[],
  log: LogView,
  findings: Findings,
): OutsideNote[] => {
  const file = witnessedPath;
  if (note === null) return [];
  if (!Buffer.isBuffer(note)) {
    findings.add({ file, ...note });
    return [];
  }
  const checkpoint = openOwn(note, log);
  if (typeof checkpoint === 'string') {
    findings.add({ file, what: `changed: ${checkpoint}` });
    return [];
  }
  const judged = judge(file, checkpoint, log, findings);
  if (judged !== null) return [judged];
  const published = parseNote(log.checkpointAt(checkpoint.size)).text;
  if (published !== parseNote(note).text)
    findings.add({ file, what: `size ${checkpoint.size} is that of no published checkpoint` });
  for (const what of badCosignatures(note, checkpoint, witnesses)) findings.add({ file, what });
  const heard = cosigned(checkpoint, witnesses);
  return heard.length === 0
    ? []
    : [{ kind: 'contained', name: file, source: 'published', size: checkpoint.size, heard }];
};

/** To be read before the checkpoint, which is never behind it. */
export const readWitnessed = (vault: string): Witnessed => {
  try {
    return readBounded(join(vault, witnessedPath), maxNote);
  } catch (error) {
    return cannotRead(error);
  }
};

/** @returns why it is no note of this log */
export const openOwn = (note: Buffer, log: LogView): Checkpoint | string => {
  let why = 'no key of the log is known for its size';
  try {
    const checkpoint = parseCheckpoint(note);
    const { size } = checkpoint;
    // By a key that was replaced before the given one: the entries pin what it signed.
    if (size <= log.target.size && hasSigned(note, log.checkpointAt(size))) return checkpoint;
    for (const vkey of log.keysAt(size)) {
      try {
        return openCosigned(note, vkey);
      } catch (error) {
        why = messageOf(error);
      }
    }
  } catch (error) {
    why = messageOf(error);
  }
  return why;
};

/** A note of this log that a known witness has cosigned, whatever log key it bears. */
const vouchedFor = (note: Buffer, log: LogView, witnesses: readonly WitnessVkey[]): Checkpoint | null => {
  try {
    const checkpoint = parseCheckpoint(note);
    return checkpoint.origin === log.target.origin && cosigned(checkpoint, witnesses).length > 0
      ? checkpoint
      : null;
  } catch {
    return null;
  }
};

/** Whether the note is the published checkpoint of its size, with whatever others have signed besides. */
const hasSigned = (note: Buffer, published: Buffer): boolean => {
  const [one, other] = [parseNote(note), parseNote(published)];
  const line = ({ name, keyId, signature }: NoteSignature): string =>
    `${name} ${keyId.toString('hex')} ${signature.toString('hex')}`;
  const lines = new Set(one.signatures.map(line));
  return one.text === other.text && other.signatures.some((signature) => lines.has(line(signature)));
};

/** @returns `null` where the log contains it */
export const judge = (
  name: string,
  { size, root, note }: Checkpoint,
  log: LogView,
  findings: Findings,
): OutsideNote | null => {
  const { target } = log;
  if (size > target.size) {
    findings.add({
      file: 'checkpoint',
      what: `rolled back: it ends at ${target.size}, ${name} remembers ${size}`,
    });
    return { kind: 'ahead', name, size };
  }
  const ours = log.rootAt(size);
  if (ours === null) return { kind: 'unusable', name, why: `the entries give no root at size ${size}` };
  if (ours.equals(root)) return null;
  findings.add({
    file: 'checkpoint',
    what: `forked: ${name} remembers root ${root.toString('base64')} for size ${size}, where the entries give ${ours.toString('base64')}`,
  });
  const split = { by: name, theirs: note.toString('utf8'), ours: log.checkpointAt(size).toString('utf8') };
  return { kind: 'forked', name, split };
};

/** The known witnesses that cosigned it, and when. */
const cosigned = ({ note, size }: Checkpoint, witnesses: readonly WitnessVkey[]): Heard[] =>
  witnesses.flatMap((witness) => {
    try {
      return [{ by: witness.name, size, seconds: openCosignature(note, witness) }];
    } catch {
      return [];
    }
  });

const signatureLength = 8 + 64;

const badCosignatures = (
  note: Buffer,
  { origin }: Checkpoint,
  witnesses: readonly WitnessVkey[],
): string[] => {
  const lines = parseNote(note).signatures.filter(({ name }) => name !== origin);
  if (lines.length === 0) return ['nobody has cosigned it'];
  return lines.flatMap(({ name, keyId, signature }) => {
    if (signature.length !== signatureLength || signature.readBigUInt64BE(0) === 0n)
      return [`the line of ${name} is no cosignature`];
    // The id of a key covers its name.
    const witness = witnesses.find((one) => one.keyId.equals(keyId));
    if (witness === undefined) return [];
    try {
      openCosignature(note, witness);
      return [];
    } catch (error) {
      return [`changed: ${messageOf(error)}`];
    }
  });
};
