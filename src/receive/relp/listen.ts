import type { Listener } from '../listener.ts';
import { listenStream, type StreamServerOptions } from '../stream-server.ts';
import { converseRelp, type RelpSessionOptions } from './session.ts';

export type RelpOptions = Omit<StreamServerOptions, 'kind' | 'converse'> & RelpSessionOptions;

/**
 * RELP (librelp's doc/relp.html), with or without TLS: syslog whose every message is acknowledged.
 * @throws ReceiveError
 */
export const listenRelp = (options: RelpOptions): Promise<Listener> =>
  listenStream({
    ...options,
    kind: options.tls === null ? 'relp' : 'relp-tls',
    converse: (socket, peer, name) => converseRelp(socket, peer, name, options),
  });
