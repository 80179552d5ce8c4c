import { micros, type Micros } from '#base/clock';
import { decodeRecord, type DecodedRecord } from '#vault/record';
import { asName, fromBytes, fromText, type ByteString } from '../parse/byte-string.ts';
import { parseLine, parseMeta, type Meta } from '../parse/parse.ts';
import type { ParseContext, Parsed } from '../parse/parsed.ts';
import type { LocalTime } from '../parse/timestamp.ts';
import type { RowBinaryWriter } from './row-binary.ts';

/** Raised when the same bytes would be parsed into something else. Stands in every row. */
export const parserVersion = 1;

/** Lines of the vault, as `#vault/read` gives them. */
export type BatchRecords = {
  committed: Micros;
  /** Records back to back; the first is the manifest. */
  records: Buffer;
  /** Where each record begins, and where the last one ends. */
  offsets: Uint32Array;
};

/** The columns of a row that tell who sent it, when, and whether its sender numbers what it sends. */
export type RowHead = {
  time: Micros;
  host: ByteString;
  app: ByteString;
  source: ByteString;
  listener: ByteString;
  via: ByteString;
  stream: ByteString;
};

/** Which (stream, sequence) is already there. Asked once per line of a sender that numbers, in the vault's order. */
export type Admit = (stream: ByteString, sequence: number) => boolean;

/** Sees each row that was written. */
export type Witness = (row: RowHead) => void;

const day = 86_400_000_000;
const longestPast = 3653 * day;
/** Bounds of DateTime64(6). */
const earliest = -2_208_988_800_000_000;
/** The last second of 2254; what is later would not be exact in a double. */
const latest = 8_993_721_599_000_000;

/**
 * The time that search sorts by: the claimed one where it can be believed (ten years back to a day ahead of the
 * receive time), else the receive time.
 */
export const believedTime = (claimed: Micros | null, received: Micros): Micros =>
  claimed !== null && claimed >= received - longestPast && claimed <= received + day ? claimed : received;

/**
 * Writes one row per line of a batch, the manifest left out.
 * @returns rows written; lines that `admit` refuses are not among them
 */
export const projectBatch = (
  writer: RowBinaryWriter,
  entry: number,
  batch: BatchRecords,
  options: { local: LocalTime; admit: Admit; witness: Witness },
): number => {
  const { records, offsets } = batch;
  const committed = withinColumn(batch.committed);
  let rows = 0;
  for (let line = 1; line < offsets.length - 1; line += 1) {
    const decoded = decode(records, offsets[line] ?? 0, offsets[line + 1] ?? records.length);
    const { stream, sequence } = decoded;
    if (stream !== '' && sequence > 0 && !options.admit(stream, sequence)) continue;
    const raw = fromBytes(decoded.raw);
    const context: ParseContext = { received: decoded.received, local: options.local };
    const parsed = parseLine(raw, decoded.meta, context);
    writeRow(writer, entry, line, committed, decoded, raw, parsed, options.witness);
    rows += 1;
  }
  return rows;
};

type Head = {
  listener: ByteString;
  source: ByteString;
  via: ByteString;
  tlsName: ByteString;
  stream: ByteString;
  meta: Meta | null;
};

type Decoded = Head & { flags: number; received: Micros; sequence: number; raw: Buffer };

/**
 * The lines of one delivery have the same head but for its fixed part, so the head of the line before is compared
 * before one is taken apart. Bytes 24 to raw are the head's names (src/vault/record).
 */
let lastHeadBytes: Buffer = Buffer.alloc(0);
let lastHead: Head | null = null;

const fixedHead = 24;

const decode = (records: Buffer, start: number, end: number): Decoded => {
  const headEnd = start + fixedHead + lastHeadBytes.length;
  if (
    lastHead !== null &&
    records[start + 4] === 1 &&
    headEnd <= end &&
    sameBytes(records, start + fixedHead, lastHeadBytes)
  ) {
    return {
      ...lastHead,
      flags: records[start + 5] ?? 0,
      received: withinColumn(micros(readUInt64(records, start + 8))),
      sequence: readUInt64(records, start + 16),
      raw: records.subarray(headEnd, end),
    };
  }
  const { record } = decodeRecord(records, start);
  lastHead = headOf(record);
  lastHeadBytes = Buffer.from(records.subarray(start + fixedHead, end - record.raw.length));
  return {
    ...lastHead,
    flags: record.flags,
    received: withinColumn(record.received),
    sequence: record.sequence,
    raw: record.raw,
  };
};

const sameBytes = (records: Buffer, start: number, wanted: Buffer): boolean => {
  for (let i = 0; i < wanted.length; i += 1) if (records[start + i] !== wanted[i]) return false;
  return true;
};

const readUInt64 = (bytes: Buffer, at: number): number =>
  bytes.readUInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);

const withinColumn = (time: Micros): Micros => micros(Math.min(Math.max(time, earliest), latest));

const headOf = (record: DecodedRecord): Head => {
  const listener = name(record.listener);
  const meta = parseMeta(record.meta);
  const kind = listener.indexOf('=');
  return {
    listener,
    source: name(withoutPort(record.peer)),
    via: meta !== null && meta.via !== '' ? name(meta.via) : kind < 0 ? listener : listener.slice(0, kind),
    tlsName: name(record.tlsName),
    stream: name(record.stream),
    meta,
  };
};

const name = (text: string): ByteString => asName(fromText(text));

/** `192.0.2.7:514` → `192.0.2.7`, `[2001:db8::1]:514` → `2001:db8::1`; a sender's port says nothing about it. */
const withoutPort = (peer: string): string => {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(peer);
  const address = bracketed?.[1] ?? peer.replace(/^([^:]*):\d+$/, '$1');
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
};

const noFields: readonly ByteString[] = [];

const writeRow = (
  writer: RowBinaryWriter,
  entry: number,
  line: number,
  committed: Micros,
  head: Decoded,
  raw: ByteString,
  parsed: Parsed,
  witness: Witness,
): void => {
  const claimed =
    parsed.claimed !== null && parsed.claimed >= earliest && parsed.claimed <= latest ? parsed.claimed : null;
  const time = believedTime(claimed, head.received);
  const host = parsed.host !== '' ? parsed.host : (head.meta?.host ?? '');
  const app = parsed.app;
  // A value-less pair cannot be: fields come in twos.
  const fields = parsed.fields.length > 0 ? parsed.fields : noFields;
  let fieldBytes = 0;
  for (const field of fields) fieldBytes += field.length + 5;
  writer.reserve(
    512 +
      host.length +
      app.length +
      head.source.length +
      head.listener.length +
      raw.length * 2 +
      (parsed.message?.length ?? 0) +
      fieldBytes,
  );

  writer.int64(entry);
  writer.uint32(line);
  writer.uint32(0);
  writer.int64(time);
  if (claimed === null) writer.uint8(1);
  else {
    writer.uint8(0);
    writer.int64(claimed);
  }
  writer.int64(head.received);
  writer.int64(committed);
  writer.string(host);
  writer.string(app);
  writer.string(head.source);
  writer.string(head.listener);
  writer.string(head.via);
  if (parsed.pid === null) writer.uint8(1);
  else {
    writer.uint8(0);
    writer.uint32(parsed.pid);
  }
  writer.uint8(parsed.facility);
  writer.uint8(parsed.severity);
  const slice = parsed.message === null;
  if (slice) writer.slice(head.raw, parsed.messageStart, parsed.messageEnd);
  else writer.string(parsed.message ?? '');
  writer.varint(fields.length >>> 1);
  for (const field of fields) writer.string(field);
  writer.slice(head.raw, 0, slice ? parsed.messageStart : 0);
  writer.slice(head.raw, slice ? parsed.messageEnd : raw.length, raw.length);
  writer.slice(head.raw, 0, slice ? 0 : raw.length);
  writer.uint16(head.flags | parsed.guessed);
  writer.uint8(parserVersion);
  writer.uint8(parsed.confidence);
  writer.string(head.tlsName);
  writer.string(head.stream);
  writer.int64(head.sequence);
  witness({
    time,
    host,
    app,
    source: head.source,
    listener: head.listener,
    via: head.via,
    stream: head.stream,
  });
};
