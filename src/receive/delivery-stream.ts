import type { Clock } from '#base/clock';
import { encodeRecordHead, type Framing } from '#vault/record';
import type { IntakeWriter, PendingDelivery } from '#vault/intake';
import type { Peer } from './stream-server.ts';
import type { FrameRun } from './syslog/framing.ts';

/** Runs of one connection that were read within this (µs) share one delivery, and so one receive time. */
const mergeWithin = 1000;
const mergeBytes = 1024 * 1024;

/**
 * Puts what one connection sends into intake: runs that come close together go into one delivery.
 * @param meta what is known of each line beside its bytes (JSON), `''` = nothing
 * @param durable told of each delivery once it is durable; it is not held any longer then
 * @returns takes a run of frames, and gives the delivery that it went into
 */
export const deliveryStream = (
  intake: IntakeWriter,
  clock: Clock,
  listener: string,
  { peer, tlsName }: Pick<Peer, 'peer' | 'tlsName'>,
  meta = '',
  durable: ((delivery: PendingDelivery) => void) | null = null,
): ((run: FrameRun) => PendingDelivery) => {
  const heads = new Map<Framing, Buffer>();
  let last: PendingDelivery | null = null;

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

  return ({ framing, flags, pieces, length }) => {
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
      return last;
    }
    const delivery: PendingDelivery = {
      head,
      received,
      sequence: 0,
      flags,
      body: pieces,
      bodyLength: length,
      durable: null,
      sealed: false,
    };
    if (durable !== null)
      delivery.durable = () => {
        if (last === delivery) last = null;
        durable(delivery);
      };
    last = delivery;
    intake.enqueue(delivery);
    return delivery;
  };
};
