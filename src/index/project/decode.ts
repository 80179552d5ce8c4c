import { micros, type Micros } from '#base/clock';
import { decodeRecord, type DecodedRecord } from '#vault/record';
import { claimedHost, type ClaimedHost } from './claimed-host.ts';
import { asName, fromText, type ByteString } from '../parse/byte-string.ts';
import { parseMeta, type Meta } from '../parse/parse.ts';

/** What a record's head says, names made fit to be shown. */
type Head = {
  listener: ByteString;
  source: ByteString;
  via: ByteString;
  tlsName: ByteString;
  stream: ByteString;
  meta: Meta | null;
  claims: ClaimedHost;
  /** Bytes of the meta with its length, which stand before raw. */
  metaSize: number;
};

/** One line as the index takes it: what its record says, and where its bytes stand. */
export class Decoded {
  readonly head: Head;
  readonly flags: number;
  readonly received: Micros;
  readonly sequence: number;
  /** What holds the record, and where in it the line's bytes begin and end. */
  readonly records: Buffer;
  readonly start: number;
  readonly end: number;

  constructor(head: Head, records: Buffer, record: number, start: number, end: number) {
    this.head = head;
    this.flags = records[record + 5] ?? 0;
    this.received = withinColumn(micros(readUInt64(records, record + 8)));
    this.sequence = readUInt64(records, record + 16);
    this.records = records;
    this.start = start;
    this.end = end;
  }

  /** The line's bytes; a view. */
  get raw(): Buffer {
    return this.records.subarray(this.start, this.end);
  }

  /** The meta's length, meta and raw; a view. */
  get content(): Buffer {
    return this.records.subarray(this.start - this.head.metaSize, this.end);
  }
}

/**
 * The lines of one delivery have the same head but for its fixed part, so the head of the line before is compared
 * before one is taken apart. Bytes 24 to raw are the head's names (src/vault/record).
 */
let lastHeadBytes: Buffer = Buffer.alloc(0);
let lastHead: Head | null = null;

const fixedHead = 24;

export const decode = (records: Buffer, start: number, end: number): Decoded => {
  const headEnd = start + fixedHead + lastHeadBytes.length;
  if (
    lastHead !== null &&
    records[start + 4] === 1 &&
    headEnd <= end &&
    sameBytes(records, start + fixedHead, lastHeadBytes)
  )
    return new Decoded(lastHead, records, start, headEnd, end);
  const { record } = decodeRecord(records, start);
  const rawStart = end - record.raw.length;
  lastHead = headOf(record, rawStart - start - metaAt(records, start));
  lastHeadBytes = Buffer.from(records.subarray(start + fixedHead, rawStart));
  return new Decoded(lastHead, records, start, rawStart, end);
};

/** After four names with their lengths; decodeRecord has checked that they are there. */
const metaAt = (records: Buffer, start: number): number => {
  let at = fixedHead;
  for (let names = 0; names < 4; names += 1) at += 1 + (records[start + at] ?? 0);
  return at;
};

const sameBytes = (records: Buffer, start: number, wanted: Buffer): boolean => {
  for (let i = 0; i < wanted.length; i += 1) if (records[start + i] !== wanted[i]) return false;
  return true;
};

const readUInt64 = (bytes: Buffer, at: number): number =>
  bytes.readUInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);

/** Bounds of DateTime64(6). */
export const earliest = -2_208_988_800_000_000;
/** The last second of 2254; what is later would not be exact in a double. */
export const latest = 8_993_721_599_000_000;

export const withinColumn = (time: Micros): Micros => micros(Math.min(Math.max(time, earliest), latest));

const headOf = (record: DecodedRecord, metaSize: number): Head => {
  const listener = name(record.listener);
  const meta = parseMeta(record.meta);
  const kind = listener.indexOf('=');
  const source = name(withoutPort(record.peer));
  const tlsName = name(record.tlsName);
  return {
    listener,
    source,
    via: meta !== null && meta.via !== '' ? name(meta.via) : kind < 0 ? listener : listener.slice(0, kind),
    tlsName,
    stream: name(record.stream),
    meta,
    claims: claimedHost(tlsName, source),
    metaSize,
  };
};

const name = (text: string): ByteString => asName(fromText(text));

/** `192.0.2.7:514` → `192.0.2.7`, `[2001:db8::1]:514` → `2001:db8::1`; a sender's port says nothing about it. */
const withoutPort = (peer: string): string => {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(peer);
  const address = bracketed?.[1] ?? peer.replace(/^([^:]*):\d+$/, '$1');
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
};
