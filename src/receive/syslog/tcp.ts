import type { Clock } from '#base/clock';
import type { IntakeWriter } from '#vault/intake';
import { deliveryStream } from '../delivery-stream.ts';
import type { Listener } from '../listener.ts';
import { countResets } from '../resets.ts';
import { listenStream, type StreamServerOptions } from '../stream-server.ts';
import { countTorn } from '../torn.ts';
import { cutFrames, type CarryBudget } from './framing.ts';

export type SyslogTcpOptions = Omit<StreamServerOptions, 'kind' | 'converse'> & {
  intake: IntakeWriter;
  clock: Clock;
  budget: CarryBudget;
};

/**
 * Syslog over TCP (RFC 6587) or TLS (RFC 5425), without an acknowledgement: the protocols have none. Bytes go from the
 * socket to intake uninterpreted.
 * @throws ReceiveError
 */
export const listenSyslogTcp = async (options: SyslogTcpOptions): Promise<Listener> => {
  const { intake, ledger, clock, budget, tls } = options;
  return listenStream({
    ...options,
    kind: tls === null ? 'syslog-tcp' : 'syslog-tls',
    converse(socket, peer, name) {
      countResets(socket, ledger, name, peer);
      return cutFrames(budget, countTorn(ledger, name, peer, deliveryStream(intake, clock, name, peer)), () =>
        ledger.lost('no octet count', name, 1, peer.address),
      );
    },
  });
};
