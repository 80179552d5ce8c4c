import { crc32 } from 'node:zlib';
import type { Micros } from '#base/clock';
import { deliveryFixed, deliveryMagic } from './delivery.ts';

/**
 * A delivery on its way to the disk. One encoded head can serve a whole connection: `received`, `sequence` and
 * `flags` are written into the copy that goes to the file.
 */
export type PendingDelivery = {
  /** From `encodeRecordHead`. Shared, never written to. */
  head: Buffer;
  received: Micros;
  /** Of the first line; 0 = the sender does not number. */
  sequence: number;
  flags: number;
  /** Read when the group is cut: must not be changed afterwards. */
  body: Buffer[];
  bodyLength: number;
  /** Called once the delivery is durable, in the order of queueing; never called otherwise. */
  durable: (() => void) | null;
  /** Its group has been cut: nothing can be added any more. */
  sealed: boolean;
};

export const storedLength = (delivery: PendingDelivery): number =>
  deliveryFixed + delivery.head.length + delivery.bodyLength;

/** Bodies below this are copied next to their head: cheaper than a vector element of their own. */
const copyBelow = 4096;

/**
 * Lays deliveries out for one `writev`, in the format of `delivery.ts`, and marks them sealed. Heads and small bodies
 * are copied into one block, large bodies are taken by reference.
 */
export const sealGroup = (deliveries: readonly PendingDelivery[]): Buffer[] => {
  let blockLength = 0;
  for (const delivery of deliveries) {
    delivery.sealed = true;
    blockLength += deliveryFixed + delivery.head.length;
    for (const piece of delivery.body) if (piece.length < copyBelow) blockLength += piece.length;
  }
  const block = Buffer.allocUnsafeSlow(blockLength);
  const vector: Buffer[] = [];
  let at = 0;
  let vectorFrom = 0;
  for (const delivery of deliveries) {
    const fixed = at;
    const head = fixed + deliveryFixed;
    block.set(delivery.head, head);
    patchHead(block, head, delivery);
    at = head + delivery.head.length;
    let crc = 0;
    let crcFrom = head;
    for (const piece of delivery.body) {
      if (piece.length < copyBelow) {
        block.set(piece, at);
        at += piece.length;
        continue;
      }
      crc = crc32(piece, crc32(block.subarray(crcFrom, at), crc));
      crcFrom = at;
      vector.push(block.subarray(vectorFrom, at), piece);
      vectorFrom = at;
    }
    if (crcFrom < at) crc = crc32(block.subarray(crcFrom, at), crc);
    block.writeUInt32BE(deliveryMagic, fixed);
    block.writeUInt32BE(delivery.head.length, fixed + 4);
    block.writeUInt32BE(delivery.bodyLength, fixed + 8);
    block.writeUInt32BE(crc, fixed + 12);
  }
  if (vectorFrom < at) vector.push(block.subarray(vectorFrom, at));
  return vector.filter((piece) => piece.length > 0);
};

/** One delivery as it lies in a file. */
export const deliveryBytes = (delivery: PendingDelivery): Buffer => Buffer.concat(sealGroup([delivery]));

/** Offsets as in src/vault/record: flags at 5, receive time at 8, sequence at 16. */
const patchHead = (block: Buffer, head: number, delivery: PendingDelivery): void => {
  block[head + 5] = delivery.flags;
  writeUInt64(block, delivery.received, head + 8);
  writeUInt64(block, delivery.sequence, head + 16);
};

/** Safe integers only; several times faster than going through BigInt. */
const writeUInt64 = (block: Buffer, value: number, at: number): void => {
  const high = Math.floor(value / 0x1_0000_0000);
  block.writeUInt32BE(high, at);
  block.writeUInt32BE(value - high * 0x1_0000_0000, at + 4);
};

/** How many deliveries, from the first on, fit into `limit` bytes; one at least, if there is one. */
export const countWithin = (queue: readonly PendingDelivery[], limit: number): number => {
  let bytes = 0;
  let count = 0;
  for (const delivery of queue) {
    bytes += storedLength(delivery);
    if (count > 0 && bytes > limit) break;
    count += 1;
  }
  return count;
};
