import type { Kinds, Rules } from './amendments.ts';

type Knowledge = { kinds: Kinds; rules: Rules; mayBeThere: (amendment: number) => boolean };

/**
 * Whether a segment file of a committed entry belongs there. What is in it is checked elsewhere.
 * @param redaction index of the redact entry that its name gives; `null` for the batch as it was committed
 * @returns what is wrong, or `null`
 */
export const judgeSegmentFile = (
  entry: number,
  redaction: number | null,
  { kinds, rules, mayBeThere }: Knowledge,
): string | null => {
  const kind = kinds.at(entry);
  // Named where its entry is: what belongs to it cannot be told.
  if (kind === null || kind === 'lost') return null;
  if (kind === 'other') return 'unexpected: its entry is no batch';
  const { expiry, redaction: newest } = rules.of(entry, kind.class);
  if (redaction !== null && !rules.isRedaction(entry, redaction))
    return `unexpected: entry ${redaction} redacts nothing of entry ${entry}`;
  if (redaction === (newest?.index ?? null)) return null;
  // Of two revisions the older one has what was taken out of the newer.
  if (newest !== null && mayBeThere(newest.index)) return null;
  if (expiry !== null && mayBeThere(expiry)) return null;
  return `unexpected: entry ${newest?.index ?? '?'} redacted a line of it, which can still be read here`;
};
