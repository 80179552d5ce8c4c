import { hostname } from 'node:os';
import type { Clock } from '#base/clock';
import { encodeRecordHead, Framing } from '#vault/record';
import type { PendingDelivery } from '#vault/intake';
import type { LineMeta } from '#wire/own';
import { encodeOwnFrame } from '#wire/own-frame';

/** Something that the receiver itself has to say, as a line of the log. */
export type OwnLine = { kind: string } & Record<string, unknown>;

/** Makes deliveries of the receiver's own lines. */
export type OwnLines = {
  /** All of them in one delivery. */
  delivery(lines: readonly OwnLine[]): PendingDelivery;
  /** The frames of a delivery, if it was made here; else `null`. */
  framesOf(delivery: PendingDelivery): readonly Buffer[] | null;
  /** A delivery of frames that others hold already, and of more lines. */
  append(frames: readonly Buffer[], lines: readonly OwnLine[]): PendingDelivery;
};

export const ownLines = (clock: Clock): OwnLines => {
  const head = encodeRecordHead({
    flags: 0,
    framing: Framing.own,
    received: clock.now(),
    sequence: 0,
    listener: 'receiver',
    peer: 'receiver',
    tlsName: '',
    stream: '',
    meta: '',
  });
  const self: LineMeta = { via: 'self', host: hostname() };
  const meta = Buffer.from(JSON.stringify(self));
  const frame = (line: OwnLine): Buffer => encodeOwnFrame(0, meta, Buffer.from(JSON.stringify(line)));

  const append = (frames: readonly Buffer[], lines: readonly OwnLine[]): PendingDelivery => {
    const body = [...frames, ...lines.map(frame)];
    return {
      head,
      received: clock.now(),
      sequence: 0,
      flags: 0,
      body,
      bodyLength: body.reduce((sum, piece) => sum + piece.length, 0),
      durable: null,
      sealed: false,
    };
  };

  return {
    append,
    delivery: (lines) => append([], lines),
    framesOf: (delivery) => (delivery.head === head ? delivery.body : null),
  };
};
