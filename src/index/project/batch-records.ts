import type { Micros } from '#base/clock';

/** Lines of the vault, as `#vault/read` gives them. */
export type BatchRecords = {
  committed: Micros;
  /** Records back to back; the first is the manifest. */
  records: Buffer;
  /** Where each record begins, and where the last one ends. One that was redacted has no bytes. */
  offsets: Uint32Array;
};

/** A record has its length word at least; of one that was taken out nothing is left. */
export const isRedacted = ({ offsets }: BatchRecords, line: number): boolean =>
  offsets[line] === offsets[line + 1];
