import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import { messageOf, systemCode } from '#base/errors';
import { ReceiveError } from './errors.ts';

/** What every way in offers to the one who runs it. */
export type Listener = {
  /** As in the records, e.g. `syslog-tcp=127.0.0.1:5514`, with the address that is really bound. */
  name: string;
  /** `HOST:PORT`; IPv6 in brackets. */
  address: string;
  /** Reads nothing more until `resume()`. Senders that can wait do so; a datagram socket goes on. */
  pause(): void;
  resume(): void;
  /** Connections by the address of those who wait while it is paused. */
  senders(): ReadonlyMap<string, number>;
  /** Accepts nothing new, reads for at most `forMs` what has already arrived, and ends. */
  stop(forMs: number): Promise<void>;
};

/** `192.0.2.7:514`, `[2001:db8::1]:514`. An IPv4 peer of a dual-stack socket is written as IPv4. */
export const hostPort = (address: string, port: number): string => {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return `${mapped[1]}:${port}`;
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
};

/** The address to bind for a host that is a name, an address, or an IPv6 address in brackets. */
export const bindAddress = async (host: string): Promise<string> => {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  if (isIP(bare) !== 0) return bare;
  try {
    return (await lookup(bare)).address;
  } catch (cause) {
    throw new ReceiveError(
      'address-unavailable',
      `cannot listen on ${host}: ${messageOf(cause)}. Give an address of this machine, e.g. 127.0.0.1 or [::1]`,
      { cause },
    );
  }
};

/** Says of a failed bind what was tried and what to do. */
export const bindError = (wanted: string, cause: unknown): ReceiveError => {
  const port = Number(wanted.slice(wanted.lastIndexOf(':') + 1));
  switch (systemCode(cause)) {
    case 'EADDRINUSE':
      return new ReceiveError(
        'address-in-use',
        `cannot listen on ${wanted}: another process has this address (see \`ss -lnp 'sport = :${port}'\`). ` +
          'Stop it, or give --listen another port',
        { cause },
      );
    case 'EACCES':
      return new ReceiveError(
        'address-refused',
        `cannot listen on ${wanted}: this user may not bind it. Use a port of 1024 or above, give the process ` +
          'CAP_NET_BIND_SERVICE, or lower net.ipv4.ip_unprivileged_port_start',
        { cause },
      );
    default:
      return new ReceiveError(
        'address-unavailable',
        `cannot listen on ${wanted}: ${messageOf(cause)}. Give an address that this machine has (see \`ip address\`)`,
        { cause },
      );
  }
};
