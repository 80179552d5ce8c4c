import { hash } from 'node:crypto';
import type { Clock } from '#base/clock';
import type { OwnLog } from '#base/own-log';
import type { IntakeWriter } from '#vault/intake';
import type { Listener } from '../listener.ts';
import { listenStream, type StreamServerOptions } from '../stream-server.ts';
import type { TlsIdentity } from '../tls-identity.ts';
import { serveOwnSender } from './sender.ts';

export type AgentsOptions = Omit<StreamServerOptions, 'kind' | 'converse' | 'tls'> & {
  tls: TlsIdentity;
  intake: IntakeWriter;
  clock: Clock;
  log: OwnLog;
};

/**
 * Agents of other hosts: the protocol of src/wire/own.ts over TLS. Each must show a certificate. Its stream is stored with
 * the name in that certificate before it, so that none can take the numbers of another.
 * @throws ReceiveError
 */
export const listenAgents = async (options: AgentsOptions): Promise<Listener> => {
  const { intake, clock, ledger, gate, log } = options;
  return listenStream({
    ...options,
    gate: { ...gate, certificates: 'required' },
    kind: 'agent',
    converse: (socket, { peer, address, tlsName }, listener) =>
      serveOwnSender(socket, {
        intake,
        clock,
        identity: ({ stream }) => ({ listener, peer, tlsName, stream: streamOf(tlsName, stream) }),
        onRefusal: (why) => {
          log('warning', `${listener}: ${peer} (${tlsName}) was cut off: ${why}`);
          ledger.lost('protocol', listener, 1, address);
        },
      }),
  });
};

/** `<name>/<stream>`; a name that is too long for a record is told by its hash. */
export const streamOf = (tlsName: string, stream: string): string => {
  const whole = `${tlsName}/${stream}`;
  return Buffer.byteLength(whole) <= 255 ? whole : `${hash('sha256', tlsName)}/${stream}`;
};
