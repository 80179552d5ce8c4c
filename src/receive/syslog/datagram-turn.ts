import { Framing } from '#vault/record';
import type { PendingDelivery } from '#vault/intake';
import type { FrameRun } from './framing.ts';

/** The datagrams of one sender that were read in this turn of the event loop. */
export type TurnOf = { store: (run: FrameRun) => void; datagrams: Buffer[]; bytes: number };

/**
 * Stores what senders sent at the end of each turn of the event loop, as one run for each sender. A delivery for every
 * datagram costs as much as reading it does; and each datagram lies in memory of its own, which is let go here instead
 * of waiting for the disk.
 */
export type DatagramTurn = {
  add(sender: TurnOf, datagram: Buffer): void;
  /** Stores what there is. */
  end(): void;
};

const lengthBytes = 2;
/** In a record head, see src/vault/record. */
const framingAt = 6;

export const datagramTurn = (): DatagramTurn => {
  let senders: TurnOf[] = [];

  const end = (): void => {
    const all = senders;
    senders = [];
    for (const sender of all) {
      const body = withLengths(sender.datagrams, sender.bytes);
      sender.datagrams = [];
      sender.bytes = 0;
      sender.store({ framing: Framing.datagrams, flags: 0, pieces: [body], length: body.length });
    }
  };

  return {
    add(sender, datagram) {
      if (senders.length === 0) setImmediate(end);
      if (sender.datagrams.length === 0) senders.push(sender);
      sender.datagrams.push(datagram);
      sender.bytes += datagram.length;
    },
    end,
  };
};

/** Each after its length. @param bytes of all of them */
const withLengths = (datagrams: readonly Buffer[], bytes: number): Buffer => {
  const body = Buffer.allocUnsafe(bytes + lengthBytes * datagrams.length);
  let at = 0;
  for (const datagram of datagrams) {
    body[at] = datagram.length >>> 8;
    body[at + 1] = datagram.length;
    body.set(datagram, at + lengthBytes);
    at += lengthBytes + datagram.length;
  }
  return body;
};

/** How many datagrams a delivery holds; 0 where it came over something else. */
export const datagramsIn = ({ head, body }: PendingDelivery): number => {
  if (head[framingAt] === Framing.datagram) return 1;
  if (head[framingAt] !== Framing.datagrams) return 0;
  let count = 0;
  // Each piece is what one turn stored, and so holds whole frames.
  for (const piece of body)
    for (let at = 0; at < piece.length; at += lengthBytes + piece.readUInt16BE(at)) count += 1;
  return count;
};
