import type { Socket } from 'node:net';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import { encodeRecordHead, Framing, type DecodedRecord } from '#vault/record';
import type { IntakeWriter, PendingDelivery } from '#vault/intake';
import { hello, type Hello } from '#wire/own';
import type { Conversation } from '../stream-server.ts';
import { walkOwnFrames } from './frame.ts';

/** Under which names a sender's lines are stored, once it has said who it is. */
export type OwnIdentity = (hello: Hello) => Pick<DecodedRecord, 'listener' | 'peer' | 'tlsName' | 'stream'>;

export type OwnSenderOptions = {
  intake: IntakeWriter;
  clock: Clock;
  identity: OwnIdentity;
  /** It broke the protocol, and is heard no more. */
  onRefusal(why: string): void;
};

const helloWithinMs = 5000;
const longestHello = 4096;
const mergeWithin = 1000;
const mergeBytes = 1024 * 1024;

/**
 * Reads the hello, then stores runs of whole frames and acknowledges each when it is durable. `finish` takes nothing
 * more, and settles when all that was taken is acknowledged.
 */
export const serveOwnSender = (
  socket: Socket,
  { intake, clock, identity, onRefusal }: OwnSenderOptions,
): Required<Conversation> => {
  let who: Hello | null = null;
  let head: Buffer | null = null;
  let carry: Buffer[] = [];
  let carried = 0;
  /** Bytes that `carry` must hold before it is worth another look. */
  let wanted = 4;
  let last: (PendingDelivery & { highest: number }) | null = null;
  let unacknowledged = 0;
  let finishing = false;
  let finished: (() => void) | null = null;

  const endIfDone = (): void => {
    if (!finishing || unacknowledged > 0) return;
    socket.destroySoon();
    finished?.();
  };

  const refuse = (why: string): void => {
    onRefusal(`${who === null ? 'a sender' : `sender ${who.sender}`} broke the protocol: ${why}`);
    finishing = true;
    carry = [];
    carried = 0;
    endIfDone();
  };

  const acknowledge = (sequence: number): void => {
    unacknowledged -= 1;
    if (socket.writable) {
      const ack = Buffer.allocUnsafe(8);
      ack.writeBigUInt64BE(BigInt(sequence));
      socket.write(ack);
    }
    endIfDone();
  };

  const store = (frames: Buffer, first: number, highest: number): void => {
    if (head === null) return;
    const received = clock.now();
    if (
      last !== null &&
      !last.sealed &&
      Math.abs(received - last.received) < mergeWithin &&
      last.bodyLength + frames.length <= mergeBytes
    ) {
      last.highest = Math.max(last.highest, highest);
      intake.extend(last, [frames], frames.length);
      return;
    }
    const delivery = {
      head,
      received,
      sequence: first,
      flags: 0,
      body: [frames],
      bodyLength: frames.length,
      durable: () => acknowledge(delivery.highest),
      sealed: false,
      highest,
    };
    last = delivery;
    unacknowledged += 1;
    intake.enqueue(delivery);
  };

  /** @returns what is left behind the hello, or `null` if it has not come in full. */
  const readHello = (bytes: Buffer): Buffer | null => {
    if (bytes.length < 4) return null;
    const length = bytes.readUInt32BE(0);
    if (length > longestHello)
      throw new RangeError(`a hello of ${length} bytes, ${longestHello} is the most`);
    wanted = 4 + length;
    if (bytes.length < wanted) return null;
    who = hello.parse(JSON.parse(bytes.toString('utf8', 4, wanted)));
    head = encodeRecordHead({
      flags: 0,
      framing: Framing.own,
      received: clock.now(),
      sequence: 0,
      meta: '',
      ...identity(who),
    });
    clearTimeout(patience);
    return bytes.subarray(wanted);
  };

  const take = (chunk: Buffer): void => {
    if (finishing) return;
    carry.push(chunk);
    carried += chunk.length;
    if (carried < wanted) return;
    let bytes: Buffer | null = carry.length === 1 ? chunk : Buffer.concat(carry);
    carry = [];
    carried = 0;
    if (who === null) {
      const rest = readHello(bytes);
      if (rest === null) return keep(bytes);
      bytes = rest;
    }
    const walk = walkOwnFrames(bytes);
    if (walk.end > 0) store(bytes.subarray(0, walk.end), walk.first, walk.last);
    if (walk.fault !== null) return refuse(walk.fault);
    wanted = walk.wanted;
    keep(bytes.subarray(walk.end));
  };

  const keep = (bytes: Buffer): void => {
    if (bytes.length === 0) return;
    carry.push(bytes);
    carried = bytes.length;
  };

  const patience = setTimeout(() => refuse(`no hello within ${helloWithinMs} ms`), helloWithinMs);
  return {
    push(chunk) {
      try {
        take(chunk);
      } catch (error) {
        refuse(messageOf(error));
      }
    },
    end() {
      clearTimeout(patience);
      finished?.();
    },
    finish: () =>
      new Promise((resolve) => {
        finished = resolve;
        finishing = true;
        endIfDone();
      }),
  };
};
