/** Exit statuses of every command. */
export const Exit = {
  /** Done; for a search, hits or not. */
  done: 0,
  /** Done, and it is bad: a broken proof, a finding at or above `--fail-on`. */
  bad: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  /** Nothing that was asked for could be looked at (or anything at all could not, with `--strict`). */
  couldNotLook: 3,
  /** Our own fault. */
  internal: 4,
} as const;
export type Exit = (typeof Exit)[keyof typeof Exit];
