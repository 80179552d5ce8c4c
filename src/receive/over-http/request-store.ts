import type { Clock } from '#base/clock';
import { encodeRecordHead, type Framing } from '#vault/record';
import type { IntakeWriter, PendingDelivery } from '#vault/intake';
import type { Peer } from '../stream-server.ts';
import type { FrameRun } from '../syslog/framing.ts';

/** Runs that come within this (µs) share one delivery, and so one receive time. */
const mergeWithin = 1000;
const mergeBytes = 1024 * 1024;

/** Puts what one request brings into intake, and knows when all of it is durable. */
export type RequestStore = {
  take(run: FrameRun): void;
  /** Settles once everything that was taken is durable; never, if it cannot be. */
  durable(): Promise<void>;
};

export const requestStore = (
  intake: IntakeWriter,
  clock: Clock,
  listener: string,
  { peer, tlsName }: Pick<Peer, 'peer' | 'tlsName'>,
  meta: string,
): RequestStore => {
  const heads = new Map<Framing, Buffer>();
  let last: PendingDelivery | null = null;
  let outstanding = 0;
  let settle: (() => void) | null = null;

  const headFor = (framing: Framing): Buffer => {
    let head = heads.get(framing);
    if (head === undefined) {
      head = encodeRecordHead({
        flags: 0,
        framing,
        received: clock.now(),
        sequence: 0,
        listener,
        peer,
        tlsName,
        stream: '',
        meta,
      });
      heads.set(framing, head);
    }
    return head;
  };

  return {
    take({ framing, flags, pieces, length }) {
      const head = headFor(framing);
      const received = clock.now();
      if (
        last !== null &&
        !last.sealed &&
        last.head === head &&
        flags === 0 &&
        last.flags === 0 &&
        Math.abs(received - last.received) < mergeWithin &&
        last.bodyLength + length <= mergeBytes
      ) {
        intake.extend(last, pieces, length);
        return;
      }
      outstanding += 1;
      last = {
        head,
        received,
        sequence: 0,
        flags,
        body: pieces,
        bodyLength: length,
        durable() {
          outstanding -= 1;
          if (outstanding > 0) return;
          // What is stored need not be held until its answer was taken.
          last = null;
          settle?.();
        },
        sealed: false,
      };
      intake.enqueue(last);
    },
    durable: () =>
      new Promise((resolve) => {
        settle = resolve;
        if (outstanding === 0) resolve();
      }),
  };
};
