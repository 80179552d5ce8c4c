import type { Completeness } from './completeness.ts';
import type { Freshness } from './freshness.ts';

/** One thing that is wrong. */
export type Problem = {
  /** Path in the vault, or `lock` and `vkey` for the two that were given, or the name of a note that was. */
  file: string;
  /** Outer entry concerned, where it is one. */
  entry?: number;
  /** Lines concerned, `entry:first..last`. */
  lines?: string;
  what: string;
  /** It could not be looked at: that says nothing of what is in it. */
  unseen?: true;
};

export type Integrity = {
  /**
   * `unaltered`: nothing is wrong, from the segments' bytes to the signature. `unknown`: nothing is wrong with what
   * could be looked at, and not all of it could.
   */
  verdict: 'unaltered' | 'altered' | 'unknown';
  detail: string;
};

/** Which keys signed. */
export type Keys = {
  /** Id of the key that was given, 8 hexadecimal digits. */
  given: string;
  /** Text of the key that signs now, found by following key entries from the given one; `null`: no way leads there. */
  inForce: string | null;
  /** Key entries of the log. */
  replaced: number;
  /**
   * Signatures of checkpoints up to this size are by an earlier key that was not given and were not checked; the log
   * pins the checkpoints themselves.
   */
  uncheckedTo: number | null;
};

export type VerifyReport = {
  /** No problem was found. */
  ok: boolean;
  integrity: Integrity;
  completeness: Completeness;
  freshness: Freshness;
  /** What was checked: everything, or outer entries `first` to `end` − 1 alone. */
  scope: 'whole' | { first: number; end: number };
  /** Of the checkpoint that was checked against; `null` and 0 where there is none that can be believed. */
  origin: string | null;
  size: number;
  /** base64 */
  root: string | null;
  keys: Keys | null;
  /** Lines, manifests and redacted ones left out, in segments that are whole. */
  lines: number;
  /** Outer entries that are whole. */
  entries: number;
  problems: Problem[];
  /** Problems beyond those that are listed. */
  more: number;
  /** Files that no checkpoint covers yet: a commit under way, or one that a crash cut short. Nothing wrong. */
  uncommitted: number;
};

/** How far it is. Totals are what the entries claim: nothing of them has been checked when they are first said. */
export type Progress = Readonly<Record<'entries' | 'lines' | 'bytes', { done: number; total: number }>>;

/** A note that somebody outside remembers. */
export type SeenNote = {
  /** Who, or in which file: for the report. */
  name: string;
  note: Buffer;
};

export type VerifyOptions = {
  vault: string;
  /** Text of the public key: the one in force, or any earlier one. */
  vkey: string;
  /** `keys/lock`, what the signer remembers: without it, nothing shows that the whole vault was not put back. */
  lock?: string;
  /** `keys/contradiction`, whether it is there or not: the note by which the keeper was convicted, which ended all signing. */
  contradiction?: string;
  /** µs since 1970. Without it nothing is as new as it should be: nobody can tell how long ago a witness spoke. */
  now?: () => number;
  /** Checkpoints that a witness, an agent, a mail or a printout remembers. */
  seen?: readonly SeenNote[];
  /** Texts of the keys of witnesses that are known. */
  witnesses?: readonly string[];
  /** Only these outer entries, or those with lines that were received in this time, µs since 1970. */
  range?: { first: number; end: number } | { since: number | null; until: number | null };
  onProgress?: (progress: Progress) => void;
  /** Threads that check segments; default: one for each core. A small vault takes none. */
  threads?: number;
};

export type Findings = {
  add(problem: Problem): void;
  has(file: string): boolean;
  readonly problems: Problem[];
  more(): number;
  /** Whether all that was found is that something could not be looked at. */
  isOnlyUnseen(): boolean;
};

/** A vault that is wrong everywhere must not fill the memory with saying so. */
const maxProblems = 1000;
const maxNames = 1_000_000;

export const newFindings = (): Findings => {
  const problems: Problem[] = [];
  const files = new Set<string>();
  let more = 0;
  let seen = 0;
  return {
    problems,
    has: (file) => files.has(file),
    more: () => more,
    isOnlyUnseen: () => seen === 0,
    add(problem) {
      // Also beyond those that are listed: whether a file was blamed decides what is said of others.
      if (files.size < maxNames) files.add(problem.file);
      if (problem.unseen !== true) seen += 1;
      if (problems.length < maxProblems) problems.push(problem);
      else more += 1;
    },
  };
};

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** That a file could not be read. An error of the system says nothing of what is in it. */
export const cannotRead = (error: unknown): { what: string; unseen?: true } => {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  const isSystem =
    typeof code === 'string' && /^E[A-Z]+$/.test(code) && code !== 'ELOOP' && code !== 'EISDIR';
  return { what: `cannot be read: ${messageOf(error)}`, ...(isSystem ? { unseen: true as const } : {}) };
};

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;
