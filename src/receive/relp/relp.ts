import type { Listener } from '../listener.ts';
import { listenStream, type StreamServerOptions } from '../stream-server.ts';
import { openCopies } from './copies.ts';
import { relpSession, type SessionOptions } from './session.ts';

export type RelpOptions = Omit<StreamServerOptions, 'kind' | 'converse'> & Omit<SessionOptions, 'copies'>;

/**
 * RELP (librelp, doc/relp.html), with or without TLS: the reliable event logging protocol. Each message is acknowledged
 * when it is durable.
 * @throws ReceiveError
 */
export const listenRelp = async (options: RelpOptions): Promise<Listener> => {
  const session = { ...options, copies: openCopies() };
  return listenStream({
    ...options,
    kind: options.tls === null ? 'relp' : 'relp-tls',
    converse: (socket, peer, name) => relpSession(socket, peer, name, session),
  });
};
