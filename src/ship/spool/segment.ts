import {
  decodeSpoolRecord,
  saltLength,
  segmentHeaderLength,
  segmentMagic,
  type SpoolRecord,
} from './record.ts';

/** Lines that a damaged part of the spool held and that are nowhere else in it. */
export type SpoolGap = { first: number; last: number };

/** What a segment's bytes say after a crash. */
export type ScannedSegment = {
  salt: Buffer;
  records: SpoolRecord[];
  /** Where the last whole record ends; what follows was torn by the crash and never sent. */
  end: number;
  /** Parts in the middle that do not check: the medium changed them. `[from, to)` in bytes. */
  damage: { from: number; to: number }[];
};

/**
 * Reads a segment. One record at a time is written and made durable before the next, so only the last can be torn;
 * anything that does not check and has a whole record behind it was changed afterwards.
 * @returns `null` if the bytes are no segment (the crash came before its first record was whole)
 */
export const scanSegment = (bytes: Buffer): ScannedSegment | null => {
  if (bytes.length < segmentHeaderLength || !bytes.subarray(0, segmentMagic.length).equals(segmentMagic))
    return null;
  const salt = Buffer.from(bytes.subarray(segmentMagic.length, segmentMagic.length + saltLength));
  const records: SpoolRecord[] = [];
  const damage: { from: number; to: number }[] = [];
  let at = segmentHeaderLength;
  let end = at;
  while (at < bytes.length) {
    const record = decodeSpoolRecord(bytes, at, salt);
    if (record !== null) {
      if (at > end) damage.push({ from: end, to: at });
      records.push(record);
      at = record.next;
      end = at;
      continue;
    }
    const next = bytes.indexOf(salt, at + 1);
    if (next === -1) break;
    at = next;
  }
  return records.length === 0 ? null : { salt, records, end, damage };
};
