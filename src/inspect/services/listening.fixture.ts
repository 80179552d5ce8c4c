import { fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * A process with sockets of every kind that the collector tells apart, for its tests. Prints one JSON line when all are
 * open, and ends when its standard input does. With `wildcards` as its argument it also opens unspecified addresses:
 * only for a private network namespace.
 */
const [role] = process.argv.slice(2);

const listen = async (host: string, ipv6Only: boolean, port = 0): Promise<Server> => {
  const server = createServer().listen({ host, port, ipv6Only });
  await once(server, 'listening');
  return server;
};

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

if (role === 'second holder') {
  process.on('message', (_message, handle) => {
    process.send?.('held');
    process.once('disconnect', () => {
      if (handle !== undefined && handle !== null && 'close' in handle) handle.close();
      process.exit(0);
    });
  });
} else {
  const shared = await listen('127.0.0.1', false);
  const child = fork(import.meta.filename, ['second holder']);
  child.send('hold this', shared);
  await once(child, 'message');

  const servers = [shared, await listen('127.0.0.1', false), await listen('::1', true)];
  for (let i = 0; i < 40; i += 1) servers.push(await listen('127.0.0.1', false));
  const datagram = createSocket('udp4').bind(0, '127.0.0.1');
  const datagram6 = createSocket({ type: 'udp6', ipv6Only: true }).bind(0, '::1');
  const connected = createSocket('udp4').bind(0, '127.0.0.1');
  await Promise.all([datagram, datagram6, connected].map((socket) => once(socket, 'listening')));
  connected.connect(datagram.address().port, '127.0.0.1');
  await once(connected, 'connect');
  if (role === 'wildcards') {
    servers.push(
      await listen('0.0.0.0', false, 7001),
      await listen('::', false, 7002),
      await listen('::', true, 7003),
    );
    const any = createSocket('udp6').bind(7004, '::');
    await once(any, 'listening');
  }
  process.stdout.write(
    `${JSON.stringify({
      pid: process.pid,
      child: child.pid,
      shared: portOf(shared),
      datagram: datagram.address().port,
      connected: connected.address().port,
    })}\n`,
  );
  process.stdin.on('end', () => {
    child.disconnect();
    process.exit(0);
  });
  process.stdin.resume();
}
