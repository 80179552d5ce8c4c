import type { Micros } from '#base/clock';
import { Framing } from '#vault/record';

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

/**
 * Whether no line of a batch has a number or a key, so that its rows hang on nothing that came before: what a record's
 * fixed head says of it, docs/formats/record.md.
 */
export const isPlain = (batch: BatchRecords): boolean => {
  const { records, offsets } = batch;
  for (let line = 1; line < offsets.length - 1; line += 1) {
    if (isRedacted(batch, line)) continue;
    const start = offsets[line] ?? 0;
    const framing = records[start + 6];
    if (framing === Framing.body || framing === Framing.journal || hasNumber(records, start)) return false;
  }
  return true;
};

/** Whether the sender numbers the record at `start`; the cheapest thing that can be asked of it. */
export const hasNumber = (records: Buffer, start: number): boolean => {
  for (let at = start + 16; at < start + 24; at += 1) if (records[at] !== 0) return true;
  return false;
};
