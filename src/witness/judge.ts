import { emptyRoot, verifyConsistency } from '#vault/tree';
import type { Submission, TreeHead } from './submission.ts';

/**
 * - `continues`: to be cosigned
 * - `old-too-large`: the proof is said to begin after the checkpoint
 * - `stale`: the proof does not begin at what is remembered
 * - `fork`: two roots at one size, both signed by the log
 * - `not-proven`: the proof does not lead from what is remembered to the checkpoint
 */
export type Judgement = 'continues' | 'old-too-large' | 'stale' | 'fork' | 'not-proven';

const nothing: Pick<TreeHead, 'size' | 'root'> = { size: 0, root: emptyRoot };

/** What tlog-witness makes of a checkpoint whose signature is valid. No I/O. @param seen `null`: never cosigned one */
export const judge = (
  seen: TreeHead | null,
  { old, proof, head }: Pick<Submission, 'old' | 'proof' | 'head'>,
): Judgement => {
  if (old > head.size) return 'old-too-large';
  const { size, root } = seen ?? nothing;
  if (old !== size) return 'stale';
  if (head.size === 0 && !head.root.equals(emptyRoot)) return 'not-proven';
  if (isFork(seen, head)) return 'fork';
  return verifyConsistency({ size1: size, root1: root, size2: head.size, root2: head.root, path: proof })
    ? 'continues'
    : 'not-proven';
};

/** Whoever brings it, and whatever it is said to continue: the two notes together convict the log. */
export const isFork = (seen: TreeHead | null, head: TreeHead): boolean =>
  seen !== null && head.size === seen.size && !head.root.equals(seen.root);
