import { micros, type Micros } from '#base/clock';

/**
 * A record is the unit that is stored and proven: one line exactly as it was received, with what the receiver
 * knows of its coming. The bytes are fixed when the keeper cuts the line out of its delivery and are never
 * serialised again. Integers are big-endian.
 *
 *     u32  length of what follows
 *     u8   version = 1
 *     u8   flags (see Flag)
 *     u8   framing (see Framing)
 *     u8   reserved = 0
 *     u64  received, µs since the epoch
 *     u64  sequence number given by the sender, 0 = none
 *     u8   length, then listener   e.g. syslog-tcp=127.0.0.1:5514
 *     u8   length, then peer       e.g. 192.0.2.7:51234
 *     u8   length, then TLS name   empty without a client certificate
 *     u8   length, then stream     who numbers: the sender's stream id, empty if it does not number
 *     u16  length, then meta       what the sender says of the line (JSON), empty for syslog
 *     …    raw bytes, as received, without their framing
 *
 * docs/formats/record.md has the same with a worked example.
 */
export type DecodedRecord = {
  flags: number;
  framing: Framing;
  received: Micros;
  sequence: number;
  listener: string;
  peer: string;
  tlsName: string;
  stream: string;
  meta: string;
  /** A view into the buffer that was decoded, not a copy. */
  raw: Buffer;
};

/** How the line was told apart from its neighbours on the wire. */
export const Framing = {
  datagram: 0,
  /** RFC 6587 §3.4.2, LF as the trailer */
  newline: 1,
  /** RFC 6587 §3.4.1 and RFC 5425 §4.3 */
  octetCounted: 2,
  /** Holdfast's own length-prefixed messages (run/own.sock) */
  own: 3,
  /** RELP's `syslog` frames: number, command, length, data, LF */
  relp: 4,
  /** A whole body, such as that of an HTTP request: the delivery is one frame */
  body: 6,
  /** Entries of systemd's journal export format, each ended by an empty line */
  journal: 5,
  /** NUL as the trailer, as GELF over TCP has it */
  nul: 7,
  /** Datagrams of one sender that came together: of deliveries alone, a record of one has `datagram` */
  datagrams: 8,
} as const;
export type Framing = (typeof Framing)[keyof typeof Framing];

/** Bits of the flags byte. */
export const Flag = {
  /** One piece of a line longer than the receiver's limit; pieces follow one another on the same connection. */
  part: 1,
  /** The last piece of such a line. */
  lastPart: 2,
  /** The connection ended before the frame did. */
  torn: 4,
  /** Existed before its sender first looked. */
  backfill: 8,
  /** The protocol cannot tell whether this was delivered before. */
  possibleRedelivery: 16,
} as const;

export const recordVersion = 1;

/** The constant head of all records of one delivery; `length` and `flags`/`sequence` are patched per line. */
export const encodeRecordHead = (head: Omit<DecodedRecord, 'raw'>): Buffer => {
  const listener = Buffer.from(head.listener);
  const peer = Buffer.from(head.peer);
  const tlsName = Buffer.from(head.tlsName);
  const stream = Buffer.from(head.stream);
  const meta = Buffer.from(head.meta);
  for (const short of [listener, peer, tlsName, stream]) {
    if (short.length > 255)
      throw new RangeError(`a record's names are limited to 255 bytes, got ${short.length}`);
  }
  if (meta.length > 65_535)
    throw new RangeError(`a record's meta is limited to 65,535 bytes, got ${meta.length}`);
  const buffer = Buffer.alloc(
    24 + 4 + listener.length + peer.length + tlsName.length + stream.length + 2 + meta.length,
  );
  buffer[4] = recordVersion;
  buffer[5] = head.flags;
  buffer[6] = head.framing;
  buffer.writeBigUInt64BE(BigInt(head.received), 8);
  buffer.writeBigUInt64BE(BigInt(head.sequence), 16);
  let at = 24;
  for (const short of [listener, peer, tlsName, stream]) {
    buffer[at] = short.length;
    short.copy(buffer, at + 1);
    at += 1 + short.length;
  }
  buffer.writeUInt16BE(meta.length, at);
  meta.copy(buffer, at + 2);
  return buffer;
};

export const encodeRecord = (record: DecodedRecord): Buffer => {
  const head = encodeRecordHead(record);
  const buffer = Buffer.concat([head, record.raw]);
  buffer.writeUInt32BE(buffer.length - 4, 0);
  return buffer;
};

/** Thrown for bytes that are not a record: the segment they came from is damaged or was not written by a keeper. */
export class RecordFormatError extends Error {
  override readonly name = 'RecordFormatError';
}

/**
 * Decodes the record at `offset`. `bytes` may hold more than one record.
 * @returns the record and the offset of the one after it
 * @throws RecordFormatError
 */
export const decodeRecord = (bytes: Buffer, offset = 0): { record: DecodedRecord; next: number } => {
  if (offset + 4 > bytes.length) throw new RecordFormatError(`no record length at byte ${offset}`);
  const next = offset + 4 + bytes.readUInt32BE(offset);
  if (next > bytes.length || next < offset + 30)
    throw new RecordFormatError(`record length at byte ${offset} leaves the segment`);
  if (bytes[offset + 4] !== recordVersion)
    throw new RecordFormatError(`unknown record version ${bytes[offset + 4]} at byte ${offset}`);
  let at = offset + 24;
  const take = (length: number): Buffer => {
    if (at + length > next) throw new RecordFormatError(`a field of the record at byte ${offset} leaves it`);
    const field = bytes.subarray(at, at + length);
    at += length;
    return field;
  };
  const short = (): string => take(take(1)[0] ?? 0).toString('utf8');
  const listener = short();
  const peer = short();
  const tlsName = short();
  const stream = short();
  const meta = take(take(2).readUInt16BE(0)).toString('utf8');
  return {
    record: {
      flags: bytes[offset + 5] ?? 0,
      framing: (bytes[offset + 6] ?? 0) as Framing,
      received: micros(Number(bytes.readBigUInt64BE(offset + 8))),
      sequence: Number(bytes.readBigUInt64BE(offset + 16)),
      listener,
      peer,
      tlsName,
      stream,
      meta,
      raw: bytes.subarray(at, next),
    },
    next,
  };
};
