import { constants, zstdDecompressSync } from 'node:zlib';
import { VaultFormatError } from './format-error.ts';

/**
 * A segment is one batch as it is stored: zstd over
 *
 *     u32  magic 0x48465347 ("HFSG")
 *     u32  version 1
 *     32   batch key: seed of the salts, see `batchLeaves`
 *     u32  number of records, at least 1; the first is the manifest
 *     …    the records, back to back (docs/formats/record.md)
 *
 * Integers are big-endian. SHA-256 and length of the compressed bytes stand in the batch's outer entry.
 */
export const segmentMagic = 0x48465347;
export const segmentVersion = 1;
export const segmentHeader = 44;

/** Bounds for parsers: no keeper writes more. A batch is cut at 4 MiB, but its last line may be long. */
export const maxSegment = 128 * 1024 * 1024;
export const maxBatchLines = 65_536;
export const batchKeySize = 32;

export type Segment = {
  key: Buffer;
  lineCount: number;
  /** All records, back to back; a view. */
  records: Buffer;
  /** Where each record begins in `records`, and last where they end: `lineCount + 1` values. */
  offsets: Uint32Array;
};

/** The uncompressed segment of these records. */
export const encodeSegment = (key: Buffer, lineCount: number, records: readonly Buffer[]): Buffer => {
  const header = Buffer.alloc(segmentHeader);
  header.writeUInt32BE(segmentMagic, 0);
  header.writeUInt32BE(segmentVersion, 4);
  key.copy(header, 8);
  header.writeUInt32BE(lineCount, 40);
  return Buffer.concat([header, ...records]);
};

/** @throws VaultFormatError */
export const parseSegment = (bytes: Buffer): Segment => {
  if (bytes.length < segmentHeader) throw new VaultFormatError('segment is shorter than its header');
  if (bytes.readUInt32BE(0) !== segmentMagic) throw new VaultFormatError('segment has a wrong magic number');
  if (bytes.readUInt32BE(4) !== segmentVersion) throw new VaultFormatError('segment has an unknown version');
  const lineCount = bytes.readUInt32BE(40);
  if (lineCount < 1 || lineCount > maxBatchLines)
    throw new VaultFormatError(`segment claims ${lineCount} records`);
  const records = bytes.subarray(segmentHeader);
  const offsets = new Uint32Array(lineCount + 1);
  let at = 0;
  for (let i = 0; i < lineCount; i++) {
    offsets[i] = at;
    if (at + 4 > records.length) throw new VaultFormatError(`segment ends before record ${i}`);
    at += 4 + records.readUInt32BE(at);
    if (at > records.length) throw new VaultFormatError(`record ${i} leaves the segment`);
  }
  if (at !== records.length) throw new VaultFormatError('segment has bytes after its last record');
  offsets[lineCount] = at;
  return { key: bytes.subarray(8, 8 + batchKeySize), lineCount, records, offsets };
};

/** @throws VaultFormatError if the bytes are not zstd, or more than a segment may hold */
export const decompressSegment = (stored: Buffer): Buffer => {
  try {
    return zstdDecompressSync(stored, {
      maxOutputLength: maxSegment,
      params: { [constants.ZSTD_d_windowLogMax]: 27 },
    });
  } catch (error) {
    throw new VaultFormatError('segment does not decompress', { cause: error });
  }
};
