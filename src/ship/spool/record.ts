import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { ownFrameFixed, writeOwnFrame } from '#wire/own-frame';
import type { CursorChanges, Line } from '../line.ts';

/**
 * A spool record keeps a group of lines together with the positions in the sources that hold once these lines are
 * kept: after a crash there are both or neither. Integers are big-endian.
 *
 *     8    salt of the segment
 *     u32  length of what follows the CRC
 *     u32  CRC-32 of what follows
 *     u64  number of the first line; the next to be given if there are none
 *     u64  highest number known to be acknowledged when this was written
 *     u32  number of lines
 *     u32  length of the head
 *     …    head (JSON, see `spoolHead`)
 *     …    lines, framed as on run/own.sock (src/wire/own.ts)
 *
 * A segment is `HFSPOOL1`, eight random bytes (its salt), then records; the first is a snapshot. The salt is secret
 * (files are 0600), so that no log line can contain bytes that pass for a record when a damaged segment is searched.
 */
export const segmentMagic = Buffer.from('HFSPOOL1');
export const saltLength = 8;
export const segmentHeaderLength = segmentMagic.length + saltLength;
const fixedLength = saltLength + 8;
const bodyFixed = 24;

const spoolHead = z.strictObject({
  /** Present in a snapshot alone: the first record of a segment, whose cursors are all there are. */
  stream: z.string().optional(),
  cursors: z.record(z.string(), z.unknown()),
});

export type SpoolRecord = {
  first: number;
  count: number;
  acknowledged: number;
  stream: string | null;
  cursors: CursorChanges;
  frames: Buffer;
  /** Offset in the segment of the byte after this record. */
  next: number;
};

export const encodeSpoolRecord = (
  salt: Buffer,
  record: {
    first: number;
    acknowledged: number;
    stream?: string;
    cursors: CursorChanges;
    lines: readonly Line[];
  },
): Buffer => {
  const { stream, cursors, lines } = record;
  const head = Buffer.from(JSON.stringify(stream === undefined ? { cursors } : { stream, cursors }));
  const metas = lines.map((line) => Buffer.from(JSON.stringify(line.meta)));
  let length = fixedLength + bodyFixed + head.length;
  lines.forEach((line, index) => (length += ownFrameFixed + (metas[index]?.length ?? 0) + line.raw.length));

  const bytes = Buffer.allocUnsafe(length);
  salt.copy(bytes, 0);
  bytes.writeUInt32BE(length - fixedLength, saltLength);
  bytes.writeBigUInt64BE(BigInt(record.first), fixedLength);
  bytes.writeBigUInt64BE(BigInt(record.acknowledged), fixedLength + 8);
  bytes.writeUInt32BE(lines.length, fixedLength + 16);
  bytes.writeUInt32BE(head.length, fixedLength + 20);
  head.copy(bytes, fixedLength + bodyFixed);
  let at = fixedLength + bodyFixed + head.length;
  lines.forEach((line, index) => {
    at = writeOwnFrame(bytes, at, record.first + index, metas[index] ?? Buffer.alloc(0), line.raw);
  });
  bytes.writeUInt32BE(crc32(bytes.subarray(fixedLength)), saltLength + 4);
  return bytes;
};

/** Length of the whole record whose first 16 bytes are given, or `null` if they do not begin one. */
export const spoolRecordLength = (fixed: Buffer, salt: Buffer): number | null =>
  fixed.length >= fixedLength && fixed.subarray(0, saltLength).equals(salt)
    ? fixedLength + fixed.readUInt32BE(saltLength)
    : null;

/** The record at `offset`, or `null` where there is no whole one with a matching CRC. */
export const decodeSpoolRecord = (bytes: Buffer, offset: number, salt: Buffer): SpoolRecord | null => {
  const length = spoolRecordLength(bytes.subarray(offset, offset + fixedLength), salt);
  if (length === null || length < fixedLength + bodyFixed || offset + length > bytes.length) return null;
  const body = bytes.subarray(offset + fixedLength, offset + length);
  if (crc32(body) !== bytes.readUInt32BE(offset + saltLength + 4)) return null;
  const headEnd = bodyFixed + body.readUInt32BE(20);
  const head = spoolHead.parse(JSON.parse(body.toString('utf8', bodyFixed, headEnd)));
  return {
    first: Number(body.readBigUInt64BE(0)),
    acknowledged: Number(body.readBigUInt64BE(8)),
    count: body.readUInt32BE(16),
    stream: head.stream ?? null,
    cursors: head.cursors,
    frames: body.subarray(headEnd),
    next: offset + length,
  };
};

/** The frames whose numbers are greater than `through`. */
export const framesAfter = (frames: Buffer, through: number): Buffer => {
  let at = 0;
  while (at < frames.length && Number(frames.readBigUInt64BE(at)) <= through) {
    const metaLength = frames.readUInt16BE(at + 8);
    at += 14 + metaLength + frames.readUInt32BE(at + 10 + metaLength);
  }
  return frames.subarray(at);
};
