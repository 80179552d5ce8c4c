import { decodeRecord, recordVersion } from '#vault/record';
import {
  decompressSegment,
  parseSegment,
  segmentLeaves,
  sha256,
  treeRoot,
  type Segment,
  type StoredSegment,
} from '#vault/tree';
import { messageOf } from './report.ts';

/** What a stored batch has to be: what its entry says, and, if a line was redacted, the newest redact entry of it. */
export type ExpectedBatch = {
  root: Buffer;
  lines: number;
  /** µs */
  earliest: number;
  latest: number;
  segment: StoredSegment;
  /** Lines that are to be redacted, ascending, and no others. */
  redacted: readonly number[];
};

export type CheckedBatch = { segment: Segment; what: null } | { segment: null; what: string };

/** Whether stored bytes are the batch that an entry names, from the bytes to the inner root. */
export const checkBatch = (index: number, expected: ExpectedBatch, stored: Buffer): CheckedBatch => {
  const wrong = (what: string): CheckedBatch => ({ segment: null, what });
  const { length, sha256: hash } = expected.segment;
  if (stored.length < length) return wrong(`truncated: ${stored.length} of ${length} bytes`);
  if (stored.length > length) return wrong(`${stored.length - length} bytes too long`);
  if (!sha256(stored).equals(hash)) return wrong('changed: its hash is not the one in its entry');
  let segment: Segment;
  try {
    segment = parseSegment(decompressSegment(stored));
  } catch (error) {
    return wrong(messageOf(error));
  }
  const { lineCount, redacted } = segment;
  if (lineCount !== expected.lines)
    return wrong(`holds ${lineCount} lines where its entry says ${expected.lines}`);
  const missing = expected.redacted.find((line) => !redacted.has(line));
  if (missing !== undefined) return wrong(`still holds line ${missing}, which an entry says was redacted`);
  const extra = [...redacted.keys()].find((line) => !expected.redacted.includes(line));
  if (extra !== undefined) return wrong(`line ${extra} is taken out of it, and no entry says so`);
  if (!treeRoot(segmentLeaves(segment)).equals(expected.root))
    return wrong('its lines do not give the root in its entry');
  const what = checkRecords(index, expected, segment);
  return what === null ? { segment, what } : wrong(what);
};

/** Offsets in a record, see docs/formats/record.md. */
const receivedAt = 8;
const namesAt = 24;

const checkRecords = (
  index: number,
  { earliest, latest }: ExpectedBatch,
  { records, offsets, lineCount, redacted }: Segment,
): string | null => {
  for (let line = 0; line < lineCount; line++) {
    if (redacted.size > 0 && redacted.has(line)) continue;
    const start = offsets[line] ?? 0;
    const end = offsets[line + 1] ?? 0;
    if (end - start < namesAt + 6 || records[start + 4] !== recordVersion) return `line ${line} is no record`;
    let at = start + namesAt;
    for (let field = 0; field < 4 && at < end; field++) at += 1 + (records[at] ?? 0);
    if (at + 2 > end || at + 2 + records.readUInt16BE(at) > end)
      return `line ${line} is no record: a field leaves it`;
    const received =
      records.readUInt32BE(start + receivedAt) * 0x1_0000_0000 + records.readUInt32BE(start + receivedAt + 4);
    if (line > 0 && (received < earliest || received > latest)) {
      return `line ${line} was received outside of the time that its entry names`;
    }
  }
  return checkManifest(index, records);
};

const checkManifest = (index: number, records: Buffer): string | null => {
  const body = manifestOf(records);
  if (body === null) return 'its first line is no manifest';
  return body.get('entry') === index ? null : 'its manifest belongs to another entry';
};

/** Fields of the manifest with which a batch begins; `null` where it does not begin with one. */
export const manifestOf = (records: Buffer): ReadonlyMap<string, unknown> | null => {
  const { record } = decodeRecord(records, 0);
  let body: unknown;
  try {
    body = JSON.parse(record.raw.toString('utf8'));
  } catch {
    return null;
  }
  if (typeof body !== 'object' || body === null || record.listener !== 'keeper') return null;
  const fields = new Map<string, unknown>(Object.entries(body));
  return fields.get('kind') === 'manifest' ? fields : null;
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
