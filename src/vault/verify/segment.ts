import { decodeRecord, recordVersion } from '#vault/record';
import {
  batchLeaves,
  decompressSegment,
  parseSegment,
  sha256,
  treeRoot,
  type BatchEntry,
  type Segment,
} from '#vault/tree';
import { messageOf } from './report.ts';

/**
 * Whether stored bytes are the batch that an entry names, from the bytes to the inner root.
 * @returns what is wrong, or `null`
 */
export const checkSegment = (index: number, entry: BatchEntry, stored: Buffer): string | null => {
  const { length, sha256: expected } = entry.segment;
  if (stored.length < length) return `truncated: ${stored.length} of ${length} bytes`;
  if (stored.length > length) return `${stored.length - length} bytes too long`;
  if (!sha256(stored).equals(expected)) return 'changed: its hash is not the one in its entry';
  let segment: Segment;
  try {
    segment = parseSegment(decompressSegment(stored));
  } catch (error) {
    return messageOf(error);
  }
  const { key, lineCount, records, offsets } = segment;
  if (lineCount !== entry.lines) return `holds ${lineCount} lines where its entry says ${entry.lines}`;
  if (!treeRoot(batchLeaves(records, offsets, key)).equals(entry.root))
    return 'its lines do not give the root in its entry';
  return checkRecords(index, entry, segment);
};

/** Offsets in a record, see docs/formats/record.md. */
const receivedAt = 8;
const namesAt = 24;

const checkRecords = (
  index: number,
  entry: BatchEntry,
  { records, offsets, lineCount }: Segment,
): string | null => {
  for (let line = 0; line < lineCount; line++) {
    const start = offsets[line] ?? 0;
    const end = offsets[line + 1] ?? 0;
    if (end - start < namesAt + 6 || records[start + 4] !== recordVersion) return `line ${line} is no record`;
    let at = start + namesAt;
    for (let field = 0; field < 4 && at < end; field++) at += 1 + (records[at] ?? 0);
    if (at + 2 > end || at + 2 + records.readUInt16BE(at) > end)
      return `line ${line} is no record: a field leaves it`;
    const received =
      records.readUInt32BE(start + receivedAt) * 0x1_0000_0000 + records.readUInt32BE(start + receivedAt + 4);
    if (line > 0 && (received < entry.earliest || received > entry.latest)) {
      return `line ${line} was received outside of the time that its entry names`;
    }
  }
  return checkManifest(index, records);
};

const checkManifest = (index: number, records: Buffer): string | null => {
  const { record } = decodeRecord(records, 0);
  let body: unknown;
  try {
    body = JSON.parse(record.raw.toString('utf8'));
  } catch {
    body = null;
  }
  if (
    typeof body !== 'object' ||
    body === null ||
    !('kind' in body) ||
    body.kind !== 'manifest' ||
    record.listener !== 'keeper'
  ) {
    return 'its first line is no manifest';
  }
  return 'entry' in body && body.entry === index ? null : 'its manifest belongs to another entry';
};

/** What can be said of a segment whose entry is lost: how many lines it has, and whether it can be this one at all. */
export const checkAlone = (index: number, stored: Buffer): { lines: number | null; what: string | null } => {
  try {
    const { records, lineCount } = parseSegment(decompressSegment(stored));
    return { lines: lineCount, what: checkManifest(index, records) };
  } catch (error) {
    return { lines: null, what: `changed: ${messageOf(error)}` };
  }
};
