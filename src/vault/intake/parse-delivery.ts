import { crc32 } from 'node:zlib';
import { recordVersion } from '#vault/record';
import { deliveryFixed, deliveryMagic } from './delivery.ts';

/** A whole delivery whose CRC is right, as views into the buffer that it was found in. */
export type Delivery = {
  /** A record head, its length word zero. */
  head: Buffer;
  body: Buffer;
  framing: number;
  /** µs since the epoch */
  received: number;
  /** Of the first line; 0 = the sender does not number. */
  sequence: number;
  /** Where the head's meta (its length word) begins. */
  metaAt: number;
  /** Listener, peer, TLS name and stream as they stand in the head: the same bytes for the same sender. */
  sender: string;
  /** Bytes of the delivery in its file. */
  length: number;
};

/** Bytes that a delivery may have. The receiver writes far smaller ones; a larger length is damage. */
export const maxDelivery = 64 * 1024 * 1024;

const headFixed = 24;

/**
 * The delivery at `at`.
 * - `incomplete`: the buffer ends before it does; `need` bytes would be enough to know more
 * - `damaged`: these bytes are no delivery; `length` is what it claims to have, 0 if even that is not credible
 */
export const parseDelivery = (
  bytes: Buffer,
  at: number,
):
  | { kind: 'whole'; delivery: Delivery }
  | { kind: 'incomplete'; need: number }
  | { kind: 'damaged'; length: number } => {
  const available = bytes.length - at;
  if (available >= 4 && bytes.readUInt32BE(at) !== deliveryMagic) return { kind: 'damaged', length: 0 };
  if (available < deliveryFixed) return { kind: 'incomplete', need: deliveryFixed };
  const headLength = bytes.readUInt32BE(at + 4);
  const length = deliveryFixed + headLength + bytes.readUInt32BE(at + 8);
  if (length > maxDelivery || headLength < headFixed + 6) return { kind: 'damaged', length: 0 };
  if (available < length) return { kind: 'incomplete', need: length };
  const headAt = at + deliveryFixed;
  if (crc32(bytes.subarray(headAt, at + length)) !== bytes.readUInt32BE(at + 12))
    return { kind: 'damaged', length };
  const head = bytes.subarray(headAt, headAt + headLength);
  const metaAt = findMeta(head);
  if (metaAt === null) return { kind: 'damaged', length };
  return {
    kind: 'whole',
    delivery: {
      head,
      body: bytes.subarray(headAt + headLength, at + length),
      framing: head[6] ?? 0,
      received: head.readUInt32BE(8) * 0x1_0000_0000 + head.readUInt32BE(12),
      sequence: head.readUInt32BE(16) * 0x1_0000_0000 + head.readUInt32BE(20),
      metaAt,
      sender: head.toString('latin1', headFixed, metaAt),
      length,
    },
  };
};

/** Where the meta of a record head begins, or `null` if its lengths do not add up to a head. */
const findMeta = (head: Buffer): number | null => {
  if (head[4] !== recordVersion) return null;
  let at = headFixed;
  for (let field = 0; field < 4; field++) at += 1 + (head[at] ?? head.length);
  if (at + 2 > head.length || at + 2 + head.readUInt16BE(at) !== head.length) return null;
  return at;
};

/** The four names in `Delivery.sender`. */
export const senderNames = (
  sender: string,
): { listener: string; peer: string; tlsName: string; stream: string } => {
  const bytes = Buffer.from(sender, 'latin1');
  let at = 0;
  const next = (): string => {
    const length = bytes[at] ?? 0;
    const name = bytes.toString('utf8', at + 1, at + 1 + length);
    at += 1 + length;
    return name;
  };
  return { listener: next(), peer: next(), tlsName: next(), stream: next() };
};
