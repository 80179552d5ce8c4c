import type { Micros } from '#base/clock';
import {
  isBy,
  openCosignature,
  openCosigned,
  parseCheckpoint,
  parseNote,
  type Vkey,
  type WitnessVkey,
} from '#vault/checkpoint';
import { decodeRecord, type DecodedRecord } from '#vault/record';
import {
  leafHash,
  parseEntry,
  VaultFormatError,
  verifyInclusion,
  type BatchEntry,
  type Entry,
} from '#vault/tree';
import { parseLineProof, type LineProof } from './line-proof.ts';

/**
 * The steps of the check, in their order.
 *
 * - `form`: the file is not in the one form that a proof has
 * - `record`: the bytes that are to be proven are no record
 * - `entry`: the outer entry is none, is no batch, or says something else of the batch than the proof does
 * - `line`: salt, record and inner path do not lead to the root in the outer entry
 * - `log`: the outer entry and its path do not lead to the root in the checkpoint
 * - `key`: no key was given, so nobody is known to have signed it
 * - `signature`: the checkpoint is not signed by the key that was given
 * - `witness`: a witness whose key was given did not cosign the checkpoint, or its cosignature does not match
 */
export type Step = 'form' | 'record' | 'entry' | 'line' | 'log' | 'key' | 'signature' | 'witness';

/** A signature on the checkpoint. `unknown`: of a key that was not given, so it was not looked at. */
export type CheckedSignature = {
  name: string;
  /** 8 hexadecimal digits */
  keyId: string;
  by: 'log' | 'witness' | 'unknown';
  /** Seconds since 1970-01-01T00:00:00Z, of a witness. */
  time: number | null;
};

/** What a proof file says. */
export type LineClaim = {
  /** Index of the outer entry. */
  index: number;
  line: number;
  lineCount: number;
  record: DecodedRecord;
  /** As the sender gave it: 64 bits; 0 where it does not number. */
  sequence: bigint;
  committed: Micros;
  checkpoint: { origin: string; size: number; root: Buffer };
  signatures: readonly CheckedSignature[];
};

export type Verdict =
  | { proven: true; claim: LineClaim }
  /** `claim`: what the file says nevertheless, as far as it could be read. */
  | { proven: false; step: Step; reason: string; claim: LineClaim | null };

/**
 * Checks a proof file from the record's bytes to the signature of the checkpoint. Reads nothing else, trusts nothing but
 * the keys. Signatures by other keys are ignored, as signed-note asks for.
 * @param vkey the log's key; without it nothing can be proven, but what is wrong with the file is still found
 * @param witnesses each of them must have cosigned
 */
export const checkLineProof = (
  bytes: Buffer,
  { vkey, witnesses = [] }: { vkey?: Vkey; witnesses?: readonly WitnessVkey[] },
): Verdict => {
  let claim: LineClaim | null = null;
  try {
    const proof = at('form', () => parseLineProof(bytes));
    const record = at('record', () => wholeRecord(proof.record));
    const entry = at('entry', () => batchOf(proof, record));
    const checkpoint = at('form', () => parseCheckpoint(proof.checkpoint));
    const { signatures } = parseNote(proof.checkpoint);
    const unchecked = signatures.map(({ name, keyId }): CheckedSignature => ({
      name,
      keyId: keyId.toString('hex'),
      by: 'unknown',
      time: null,
    }));
    claim = {
      index: proof.index,
      line: proof.line,
      lineCount: proof.lineCount,
      record,
      sequence: proof.record.readBigUInt64BE(16),
      committed: entry.committed,
      checkpoint: { origin: checkpoint.origin, size: checkpoint.size, root: checkpoint.root },
      signatures: unchecked,
    };
    checkPaths(proof, entry, checkpoint);
    if (vkey === undefined) throw new Refusal('key', 'no key was given');
    at('signature', () => openCosigned(proof.checkpoint, vkey));
    const times = witnesses.map((witness) => ({
      witness,
      time: at('witness', () => openCosignature(proof.checkpoint, witness)),
    }));
    const checked = unchecked.map((plain, i): CheckedSignature => {
      const signature = signatures[i];
      if (signature === undefined) return plain;
      if (isBy(signature, vkey)) return { ...plain, by: 'log' };
      const found = times.find(({ witness }) => isBy(signature, witness));
      return found === undefined ? plain : { ...plain, by: 'witness', time: found.time };
    });
    return { proven: true, claim: { ...claim, signatures: checked } };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { proven: false, step: error.step, reason: error.message, claim };
  }
};

class Refusal extends Error {
  readonly step: Step;

  constructor(step: Step, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.step = step;
  }
}

/** Runs a parser of hostile bytes; what it refuses ends the check at this step. */
const at = <T>(step: Step, parse: () => T): T => {
  try {
    return parse();
  } catch (error) {
    if (error instanceof VaultFormatError) throw new Refusal(step, error.message, { cause: error });
    throw error;
  }
};

/** In the year 2255: later times are not exact in a double, and no keeper has written them. */
const latestTime = Number.MAX_SAFE_INTEGER;

const wholeRecord = (bytes: Buffer): DecodedRecord => {
  let decoded: ReturnType<typeof decodeRecord>;
  try {
    decoded = decodeRecord(bytes);
  } catch (error) {
    throw new VaultFormatError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  if (decoded.next !== bytes.length) throw new VaultFormatError('there are bytes after the record');
  if (decoded.record.received > latestTime) throw new VaultFormatError('its time of receipt is no time');
  return decoded.record;
};

/** The outer entry, which must be a batch that can have this line. */
const batchOf = ({ entry: bytes, line, lineCount }: LineProof, { received }: DecodedRecord): BatchEntry => {
  const entry: Entry = parseEntry(bytes);
  if (entry.kind !== 'batch') throw new VaultFormatError(`the outer entry is a ${entry.kind}, no batch`);
  if (entry.lines !== lineCount)
    throw new VaultFormatError(`the outer entry has ${entry.lines} lines, the proof says ${lineCount}`);
  // The manifest (line 0) is made by the keeper when the batch is cut, later than the last line came.
  if (line > 0 && (received < entry.earliest || received > entry.latest))
    throw new VaultFormatError('the line was received outside of the time that the outer entry names');
  return entry;
};

const checkPaths = (
  { line, lineCount, salt, record, innerPath, index, entry, outerPath }: LineProof,
  { root: innerRoot }: BatchEntry,
  { size, root }: { size: number; root: Buffer },
): void => {
  const leaf = leafHash(Buffer.concat([salt, record]));
  if (!verifyInclusion({ index: line, size: lineCount, leaf, path: innerPath, root: innerRoot }))
    throw new Refusal('line', 'salt, record and inner path do not lead to the root in the outer entry');
  if (!verifyInclusion({ index, size, leaf: leafHash(entry), path: outerPath, root }))
    throw new Refusal('log', 'the outer entry and its path do not lead to the root in the checkpoint');
};
