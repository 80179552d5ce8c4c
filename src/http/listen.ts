import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** @returns the address as bound. @throws system errors: EADDRINUSE, EACCES, ENOTFOUND, … */
export const bind = async (
  server: Server,
  { host, port }: { host: string; port: number },
): Promise<{ host: string; port: number; shown: string }> => {
  const listening = once(server, 'listening');
  server.listen({ host, port });
  await listening;
  const { address, family, port: bound } = server.address() as AddressInfo;
  return { host: address, port: bound, shown: `${family === 'IPv6' ? `[${address}]` : address}:${bound}` };
};

/** Takes no new connection, lets answers under way end for so many milliseconds, closes. */
export const stopServer = (server: Server, lastAnswersMs: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), lastAnswersMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
