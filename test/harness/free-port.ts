import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/**
 * A TCP port of loopback for what has to be there on the same one again. Nobody has it, and the kernel gives it to
 * nobody: one that was bound as port 0 may be a client's in between, even that of the client which dials it.
 */
export const freePort = async (): Promise<number> => {
  const [given] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s/).map(Number);
  const highest = given !== undefined && given > lowest + 1000 ? given : 65_536;
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (await isFree(port)) return port;
  }
};

const lowest = 10_000;

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
