import type { Clock } from '#base/clock';
import { parseNote } from '#vault/checkpoint';
import type { Publication } from '#vault/tiles';

/** The one checkpoint that all witnesses are asked to cosign, so that their cosignatures meet on it. */
export type Candidate = {
  /** The note. @param publication what is published now */
  now(publication: Publication): Buffer;
};

/** Times in milliseconds. */
export type CandidateTerms = {
  /** How long it is kept at least; it is replaced then if it has become witnessed. */
  least: number;
  /** How long it is kept at most: a witness that never answers must not hold up the others for longer. */
  most: number;
};

export const defaultTerms: CandidateTerms = { least: 60_000, most: 120_000 };

/**
 * Chooses the newest checkpoint when it is first asked for, and again when the term of the last one has ended. On a log that
 * grows all the time, witnesses that each took the newest would never cosign the same one. Kept in memory alone.
 */
export const openCandidate = (
  clock: Pick<Clock, 'elapsed'>,
  { least, most }: CandidateTerms = defaultTerms,
): Candidate => {
  let chosen: { size: number; root: Buffer; note: Buffer; at: number } | null = null;

  const isOver = ({ size, root, at }: NonNullable<typeof chosen>, publication: Publication): boolean => {
    const age = clock.elapsed() - at;
    if (age >= most || size > publication.checkpoint.size) return true;
    // The vault may have been put back, and have grown again, under a running publisher.
    if (!publication.tiles().rootAt(size).equals(root)) return true;
    return age >= least && witnessedSize(publication) >= size;
  };

  return {
    now(publication) {
      if (chosen === null || isOver(chosen, publication) || !isOfNow(chosen.note, publication))
        chosen = { ...publication.checkpoint, at: clock.elapsed() };
      return chosen.note;
    },
  };
};

/** Whether the key that signs now, the last one on the newest checkpoint, has signed this note. */
const isOfNow = (note: Buffer, { checkpoint }: Publication): boolean => {
  const newest = parseNote(checkpoint.note).signatures.at(-1);
  return parseNote(note).signatures.some(({ keyId }) => newest?.keyId.equals(keyId) === true);
};

const witnessedSize = (publication: Publication): number => {
  try {
    return publication.witnessed()?.size ?? 0;
  } catch {
    // It may be of a key that was replaced since; the keeper writes it anew.
    return 0;
  }
};
