import type { Clock } from '#base/clock';
import type { IntakeWriter, PendingDelivery } from '#vault/intake';
import { deliveryStream } from '../delivery-stream.ts';
import type { Peer } from '../stream-server.ts';
import type { FrameRun } from '../syslog/framing.ts';

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
  peer: Pick<Peer, 'peer' | 'tlsName'>,
  meta: string,
): RequestStore => {
  const outstanding = new Set<PendingDelivery>();
  let settle: (() => void) | null = null;
  const put = deliveryStream(intake, clock, listener, peer, meta, (delivery) => {
    outstanding.delete(delivery);
    if (outstanding.size === 0) settle?.();
  });
  return {
    take: (run) => void outstanding.add(put(run)),
    durable: () =>
      new Promise((resolve) => {
        settle = resolve;
        if (outstanding.size === 0) resolve();
      }),
  };
};
