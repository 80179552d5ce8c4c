import { join } from 'node:path';
import { maxSegment, sha256 } from '#vault/tree';
import { readBounded } from './files.ts';
import { cannotRead, messageOf } from './report.ts';
import { checkBatch, type ExpectedBatch } from './segment.ts';
import { summariseSenders, type SenderSummary } from './senders.ts';

/** One stored batch that is to be checked, by this thread or another. */
export type SegmentJob = {
  vault: string;
  /** Relative to the vault. */
  file: string;
  entry: number;
  expected: ExpectedBatch;
};

export type SegmentResult =
  | { kind: 'whole'; lines: number; redacted: number; senders: SenderSummary }
  | { kind: 'missing' }
  /** `hash`: of what is there, hexadecimal; by it a swapped segment is recognised. */
  | { kind: 'wrong'; what: string; hash: string | null; unseen?: true };

/** Never throws: whatever is in the file is a result. */
export const runSegmentJob = ({ vault, file, entry, expected }: SegmentJob): SegmentResult => {
  let stored: Buffer | null;
  try {
    stored = readBounded(join(vault, file), maxSegment);
  } catch (error) {
    return { kind: 'wrong', hash: null, ...cannotRead(error) };
  }
  if (stored === null) return { kind: 'missing' };
  try {
    const { what, segment } = checkBatch(entry, expected, stored);
    if (segment === null) return { kind: 'wrong', what, hash: sha256(stored).toString('hex') };
    const redacted = segment.redacted.size;
    return {
      kind: 'whole',
      lines: segment.lineCount - redacted,
      redacted,
      senders: summariseSenders(segment),
    };
  } catch (error) {
    return { kind: 'wrong', what: messageOf(error), hash: null };
  }
};
