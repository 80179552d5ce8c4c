import type { Socket } from 'node:net';
import { systemCode } from '#base/errors';
import type { Ledger } from './ledger.ts';
import type { Peer } from './stream-server.ts';

/**
 * Counts a connection that was reset. The kernel then drops what had come and was not read yet, and with a protocol that
 * acknowledges nothing only its sender knows whether that was anything. (Over TLS 1.3 also a sender that closes without
 * having read our session tickets resets it.)
 */
export const countResets = (
  socket: Socket,
  ledger: Ledger,
  listener: string,
  { address }: Pick<Peer, 'address'>,
): void => {
  socket.once('error', (error) => {
    if (systemCode(error) === 'ECONNRESET') ledger.lost('connection reset', listener, 1, address);
  });
};
