import { promisify } from 'node:util';
import { constants, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import { batchLeaves, batchSalts, saltSize } from './batch.ts';
import { VaultFormatError } from './format-error.ts';
import { hashSize, leafHash } from './hash.ts';

/**
 * A segment is one batch as it is stored: zstd over one of
 *
 *     version 1, as it was committed          version 2, after a redaction
 *     u32  magic 0x48465347 ("HFSG")          u32  magic
 *     u32  version 1                          u32  version 2
 *     32   batch key: seed of the salts       u32  number of records, redacted ones included
 *     u32  number of records, at least 1;     u32  number of redacted records, at least 1
 *          the first is the manifest          …    for each of them, ascending: u32 line, 32 leaf hash
 *     …    the records, back to back          …    for each other: 16 salt
 *                                             …    the other records, back to back
 *
 * Integers are big-endian. Version 2 has no batch key: it would give the salts of what was taken out. SHA-256 and
 * length of the compressed bytes stand in the batch's outer entry, or in the newest redact entry of the batch.
 */
export const segmentMagic = 0x48465347;
export const segmentVersion = 1;
export const redactedVersion = 2;
export const segmentHeader = 44;
const redactedHeader = 16;
const redactedRow = 4 + hashSize;

/** Bounds for parsers: no keeper writes more. A batch is cut at 4 MiB, but its last line may be long. */
export const maxSegment = 128 * 1024 * 1024;
export const maxBatchLines = 65_536;
export const batchKeySize = 32;
/** Most are smaller than this. */
const usualSegment = 5 * 1024 * 1024;

export type Segment = {
  /** Seed of the salts; `null` where a line was redacted, and the salts are stored. */
  key: Buffer | null;
  /** Redacted records included. */
  lineCount: number;
  /** All records, back to back; a view. A redacted one has no bytes. */
  records: Buffer;
  /** Where each record begins in `records`, and last where they end: `lineCount + 1` values. */
  offsets: Uint32Array;
  /** Salt i at 16·i; zeros for a redacted record. */
  salts: Buffer;
  /** Leaf hash of each redacted record, by line. */
  redacted: ReadonlyMap<number, Buffer>;
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

/**
 * The uncompressed next revision of a segment: without `line`, of which only the leaf hash is left.
 * @throws RangeError for a line that is not there, is the manifest, or is redacted already
 */
export const encodeRedacted = (segment: Segment, line: number): Buffer => {
  const { lineCount, records, offsets, salts, redacted } = segment;
  if (!Number.isInteger(line) || line < 1 || line >= lineCount || redacted.has(line))
    throw new RangeError(`line ${line} of ${lineCount} cannot be redacted`);
  const start = offsets[line] ?? 0;
  const salt = salts.subarray(line * saltSize, (line + 1) * saltSize);
  const leaf = leafHash(Buffer.concat([salt, records.subarray(start, offsets[line + 1])]));
  const gone = new Map([...redacted, [line, leaf] as const].sort(([a], [b]) => a - b));
  const header = Buffer.alloc(redactedHeader);
  header.writeUInt32BE(segmentMagic, 0);
  header.writeUInt32BE(redactedVersion, 4);
  header.writeUInt32BE(lineCount, 8);
  header.writeUInt32BE(gone.size, 12);
  const rows = [...gone].map(([index, hash]) => {
    const row = Buffer.alloc(redactedRow);
    row.writeUInt32BE(index);
    hash.copy(row, 4);
    return row;
  });
  const kept: Buffer[] = [];
  for (let i = 0; i < lineCount; i++)
    if (!gone.has(i)) kept.push(salts.subarray(i * saltSize, (i + 1) * saltSize));
  return Buffer.concat([
    header,
    ...rows,
    ...kept,
    records.subarray(0, start),
    records.subarray(offsets[line + 1] ?? start),
  ]);
};

/** @throws VaultFormatError */
export const parseSegment = (bytes: Buffer): Segment => {
  if (bytes.length < redactedHeader) throw new VaultFormatError('segment is shorter than its header');
  if (bytes.readUInt32BE(0) !== segmentMagic) throw new VaultFormatError('segment has a wrong magic number');
  switch (bytes.readUInt32BE(4)) {
    case segmentVersion:
      return parseWhole(bytes);
    case redactedVersion:
      return parseRedacted(bytes);
    default:
      throw new VaultFormatError('segment has an unknown version');
  }
};

const parseWhole = (bytes: Buffer): Segment => {
  if (bytes.length < segmentHeader) throw new VaultFormatError('segment is shorter than its header');
  const lineCount = checkedCount(bytes.readUInt32BE(40));
  const key = bytes.subarray(8, 8 + batchKeySize);
  const records = bytes.subarray(segmentHeader);
  const redacted = new Map<number, Buffer>();
  const offsets = recordOffsets(records, lineCount, redacted);
  return { key, lineCount, records, offsets, salts: batchSalts(key, lineCount), redacted };
};

const parseRedacted = (bytes: Buffer): Segment => {
  const lineCount = checkedCount(bytes.readUInt32BE(8));
  const count = bytes.readUInt32BE(12);
  // The manifest is never redacted.
  if (count < 1 || count >= lineCount) throw new VaultFormatError(`segment claims ${count} redacted records`);
  const saltsAt = redactedHeader + count * redactedRow;
  const recordsAt = saltsAt + (lineCount - count) * saltSize;
  if (bytes.length < recordsAt) throw new VaultFormatError('segment is shorter than its salts');
  const redacted = new Map<number, Buffer>();
  let last = 0;
  for (let at = redactedHeader; at < saltsAt; at += redactedRow) {
    const line = bytes.readUInt32BE(at);
    if (line <= last || line >= lineCount)
      throw new VaultFormatError(`segment names line ${line} as redacted out of order`);
    redacted.set(line, bytes.subarray(at + 4, at + redactedRow));
    last = line;
  }
  const salts = Buffer.alloc(lineCount * saltSize);
  let at = saltsAt;
  for (let i = 0; i < lineCount; i++) {
    if (redacted.has(i)) continue;
    bytes.copy(salts, i * saltSize, at, at + saltSize);
    at += saltSize;
  }
  const records = bytes.subarray(recordsAt);
  return {
    key: null,
    lineCount,
    records,
    offsets: recordOffsets(records, lineCount, redacted),
    salts,
    redacted,
  };
};

const checkedCount = (lineCount: number): number => {
  if (lineCount < 1 || lineCount > maxBatchLines)
    throw new VaultFormatError(`segment claims ${lineCount} records`);
  return lineCount;
};

const recordOffsets = (
  records: Buffer,
  lineCount: number,
  redacted: ReadonlyMap<number, Buffer>,
): Uint32Array => {
  const offsets = new Uint32Array(lineCount + 1);
  let at = 0;
  for (let i = 0; i < lineCount; i++) {
    offsets[i] = at;
    if (redacted.has(i)) continue;
    if (at + 4 > records.length) throw new VaultFormatError(`segment ends before record ${i}`);
    at += 4 + records.readUInt32BE(at);
    if (at > records.length) throw new VaultFormatError(`record ${i} leaves the segment`);
  }
  if (at !== records.length) throw new VaultFormatError('segment has bytes after its last record');
  offsets[lineCount] = at;
  return offsets;
};

/** Leaf hashes of a segment's records, 32 bytes each, redacted ones included. */
export const segmentLeaves = ({ key, lineCount, records, offsets, salts, redacted }: Segment): Buffer => {
  if (key !== null) return batchLeaves(records, offsets, key);
  const leaves = Buffer.alloc(lineCount * hashSize);
  for (let i = 0; i < lineCount; i++) {
    const hash =
      redacted.get(i) ??
      leafHash(
        Buffer.concat([
          salts.subarray(i * saltSize, (i + 1) * saltSize),
          records.subarray(offsets[i], offsets[i + 1]),
        ]),
      );
    hash.copy(leaves, i * hashSize);
  }
  return leaves;
};

const decompressing = {
  // A batch is one piece: by default it would be put together of hundreds.
  chunkSize: usualSegment,
  maxOutputLength: maxSegment,
  params: { [constants.ZSTD_d_windowLogMax]: 27 },
};

/** @throws VaultFormatError if the bytes are not zstd, or more than a segment may hold */
export const decompressSegment = (stored: Buffer): Buffer => {
  try {
    return zstdDecompressSync(stored, decompressing);
  } catch (error) {
    throw new VaultFormatError('segment does not decompress', { cause: error });
  }
};

const inPool = promisify(zstdDecompress);

/** As `decompressSegment`, in a thread of the pool. */
export const decompressBeside = (stored: Buffer): Promise<Buffer> =>
  inPool(stored, decompressing).catch((error: unknown) => {
    throw new VaultFormatError('segment does not decompress', { cause: error });
  });
