import { hashSize, parseBase64, parseDecimal, VaultFormatError } from '#vault/tree';
import { maxNote, parseNote, type Note } from '#vault/checkpoint';

/** Hashes that a consistency proof may have (tlog-witness). */
export const maxProof = 63;

/** Bytes of the longest body that can be right: `old` and a size, the proof, a blank line, a note. */
export const maxSubmission: number = 'old '.length + 16 + 1 + maxProof * 45 + 1 + maxNote;

/** What a checkpoint says, as tlog-checkpoint has it: extension lines may follow, and mean nothing here. */
export type TreeHead = { origin: string; size: number; root: Buffer };

/** A checkpoint that somebody brings, and how it continues the one of size `old`. Nothing of it is verified yet. */
export type Submission = { old: number; proof: readonly Buffer[]; head: TreeHead; note: Note; bytes: Buffer };

/**
 * The body of tlog-witness's add-checkpoint: `old <size>`, at most 63 lines of base64, an empty line, the checkpoint.
 * @throws VaultFormatError
 */
export const parseSubmission = (body: Buffer): Submission => {
  if (body.length > maxSubmission)
    throw new VaultFormatError(`body of ${body.length} bytes: longer than ${maxSubmission}`);
  const blank = body.indexOf('\n\n');
  if (blank < 0) throw new VaultFormatError('no empty line between the proof and the checkpoint');
  const [first = '', ...lines] = body.toString('latin1', 0, blank).split('\n');
  const old = first.startsWith('old ') ? parseDecimal(first.slice(4)) : null;
  if (old === null) throw new VaultFormatError('the first line is not `old` and a size in decimal');
  const bytes = body.subarray(blank + 2);
  const note = parseNote(bytes);
  return { old, proof: parseProofLines(lines), head: parseHead(note.text), note, bytes };
};

export const formatSubmission = (old: number, proof: readonly Buffer[], note: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`old ${old}\n${formatProof(proof)}\n`), note]);

/** One line of base64 for each hash. */
export const formatProof = (proof: readonly Buffer[]): string =>
  proof.map((hash) => `${hash.toString('base64')}\n`).join('');

/** The body of `GET /proof/consistency`: lines as `formatProof` writes them; none for the empty proof. @throws VaultFormatError */
export const parseProof = (body: Buffer): Buffer[] => {
  if (body.length === 0) return [];
  const lines = body.toString('latin1').split('\n');
  if (lines.pop() !== '') throw new VaultFormatError('the proof does not end with a whole line');
  return parseProofLines(lines);
};

const parseProofLines = (lines: readonly string[]): Buffer[] => {
  if (lines.length > maxProof)
    throw new VaultFormatError(`proof of ${lines.length} hashes: more than ${maxProof}`);
  return lines.map((line) => {
    const hash = parseBase64(line);
    if (hash?.length !== hashSize)
      throw new VaultFormatError('a line of the proof is not a hash in canonical base64');
    return hash;
  });
};

/** @throws VaultFormatError */
export const parseHead = (text: string): TreeHead => {
  const [origin = '', sizeText = '', rootText = '', ...extensions] = text.split('\n');
  const size = parseDecimal(sizeText);
  const root = parseBase64(rootText);
  if (origin === '' || size === null || root?.length !== hashSize)
    throw new VaultFormatError('not a checkpoint of origin, size and root');
  if (extensions.pop() !== '' || extensions.includes(''))
    throw new VaultFormatError('a checkpoint has no empty lines');
  return { origin, size, root };
};
