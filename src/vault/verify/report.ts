/** One thing that is wrong. */
export type Problem = {
  /** Path in the vault, or `lock` and `vkey` for the two that were given. */
  file: string;
  /** Outer entry concerned, where it is one. */
  entry?: number;
  /** Lines concerned, `entry:first..last`. */
  lines?: string;
  what: string;
};

export type VerifyReport = {
  /** Nothing is wrong, from the segments' bytes to the signature. */
  ok: boolean;
  /** Of the checkpoint that was checked against; `null` and 0 where there is none that can be believed. */
  origin: string | null;
  size: number;
  /** base64 */
  root: string | null;
  /** Lines, manifests included, in segments that are whole. */
  lines: number;
  /** Outer entries that are whole. */
  entries: number;
  problems: Problem[];
  /** Problems beyond those that are listed. */
  more: number;
  /** Files that no checkpoint covers yet: a commit under way, or one that a crash cut short. Nothing wrong. */
  uncommitted: number;
  /** Whether this is the newest state that the signer knows of. */
  freshness: string;
};

export type VerifyOptions = {
  vault: string;
  /** Text of the public key. */
  vkey: string;
  /** `keys/lock`, what the signer remembers: without it, nothing shows that the whole vault was not put back. */
  lock?: string;
  onProgress?: (progress: { entries: number; size: number; lines: number }) => void;
};

export type Findings = {
  add(problem: Problem): void;
  has(file: string): boolean;
  readonly problems: Problem[];
  more(): number;
};

/** A vault that is wrong everywhere must not fill the memory with saying so. */
const maxProblems = 1000;

export const newFindings = (): Findings => {
  const problems: Problem[] = [];
  const files = new Set<string>();
  let more = 0;
  return {
    problems,
    has: (file) => files.has(file),
    more: () => more,
    add(problem) {
      // Every file, also beyond those that are listed: whether one was blamed decides what is said of others.
      files.add(problem.file);
      if (problems.length < maxProblems) problems.push(problem);
      else more += 1;
    },
  };
};

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
