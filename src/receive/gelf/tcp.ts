import type { Clock } from '#base/clock';
import type { IntakeWriter } from '#vault/intake';
import { deliveryStream } from '../delivery-stream.ts';
import type { Listener } from '../listener.ts';
import { countResets } from '../resets.ts';
import { listenStream, type StreamServerOptions } from '../stream-server.ts';
import { countTorn } from '../torn.ts';
import { cutFrames, nulTrailer, type CarryBudget } from '../syslog/framing.ts';
import { gelfMeta } from './meta.ts';

export type GelfTcpOptions = Omit<StreamServerOptions, 'kind' | 'converse'> & {
  intake: IntakeWriter;
  clock: Clock;
  budget: CarryBudget;
};

/**
 * GELF over TCP: each message ends with NUL (https://go2docs.graylog.org/current/getting_in_log_data/gelf.html). There
 * is no acknowledgement, and no compression.
 * @throws ReceiveError
 */
export const listenGelfTcp = (options: GelfTcpOptions): Promise<Listener> =>
  listenStream({
    ...options,
    kind: 'gelf-tcp',
    converse(socket, peer, name) {
      countResets(socket, options.ledger, name, peer);
      return cutFrames(
        options.budget,
        countTorn(
          options.ledger,
          name,
          peer,
          deliveryStream(options.intake, options.clock, name, peer, gelfMeta),
        ),
        () => undefined,
        nulTrailer,
      );
    },
  });
