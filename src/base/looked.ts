/** Why something could not be examined, and what would let it. Shown to people as it stands. */
export type CouldNotLook = {
  /** What was to be examined, e.g. "processes of other users". */
  what: string;
  /** What stood in the way, e.g. "EACCES: /proc/812/fd". */
  why: string;
  /** What the reader can do about it, e.g. "run as root". */
  remedy: string;
};

/**
 * "Found", "clean" and "could not look" are three different results and never pass for one another.
 * A partial view is `found` (or `clean`) for what was seen, with the unseen named beside it.
 */
export type Looked<T> =
  | { result: 'found'; value: T; couldNotLook: CouldNotLook[] }
  | { result: 'clean'; couldNotLook: CouldNotLook[] }
  | { result: 'could-not-look'; couldNotLook: CouldNotLook[] };
