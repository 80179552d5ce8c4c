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
 * Whether the record at `start` has a number or may have a key, so that its rows hang on what came before: what its fixed
 * head says of it, docs/formats/record.md.
 */
export const hangsOnOthers = (records: Buffer, start: number): boolean => {
  const framing = records[start + 6];
  return framing === Framing.body || framing === Framing.journal || hasNumber(records, start);
};

/** Whether half of a batch's lines or more hang on nothing that came before; those that were redacted do not. */
export const isMostlyPlain = (batch: BatchRecords): boolean => {
  const { records, offsets } = batch;
  let left = (offsets.length - 2) / 2;
  for (let line = 1; line < offsets.length - 1 && left >= 0; line += 1)
    if (!isRedacted(batch, line) && hangsOnOthers(records, offsets[line] ?? 0)) left -= 1;
  return left >= 0;
};

/** Whether the sender numbers the record at `start`; the cheapest thing that can be asked of it. */
export const hasNumber = (records: Buffer, start: number): boolean => {
  for (let at = start + 16; at < start + 24; at += 1) if (records[at] !== 0) return true;
  return false;
};
