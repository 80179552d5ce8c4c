/** Something that is read and shipped until it is stopped. */
export type Source = {
  /** For the heartbeat: lines kept since the start, and what else tells whether it works. */
  counts(): Record<string, number>;
  /** Stops reading. What was read but not kept is read again after the next start. */
  stop(): Promise<void>;
};
