import { decodeAddress, type ByteOrder } from '../services/address.ts';

/** One side of a conversation: a socket that has a peer, or had one a moment ago. */
export type Flow = {
  protocol: 'tcp' | 'udp';
  local: Place;
  remote: Place;
  /** `closed`: TIME_WAIT and the like, kept by the kernel for a minute without the process that had it. */
  state: 'open' | 'closed';
  inode: number;
};

/** An address as RFC 5952 has it (IPv4 where IPv6 only maps it), and a port. */
export type Place = { address: string; port: number };

const row =
  /^ *\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{2}) \S+ \S+ \S+ +\d+ +\d+ (\d+)/gm;

/** Tables of /proc/net that have flows. */
export const flowTables = ['tcp', 'tcp6', 'udp', 'udp6'] as const;

/** Rows with a peer. States: include/net/tcp_states.h; `0A` listens, `07` is closed or unconnected, `02` and `0C` are not answered yet. */
export const flowsIn = (protocol: 'tcp' | 'udp', text: string, order?: ByteOrder): Flow[] => {
  const flows: Flow[] = [];
  for (const [, local = '', port = '', remote = '', remotePort = '', state = '', inode] of text.matchAll(
    row,
  )) {
    if (remotePort === '0000' || unanswered.has(state)) continue;
    flows.push({
      protocol,
      local: placeOf(local, port, order),
      remote: placeOf(remote, remotePort, order),
      state: inode === '0' ? 'closed' : 'open',
      inode: Number(inode),
    });
  }
  return flows;
};

const unanswered: ReadonlySet<string> = new Set(['02', '03', '0A', '0C']);

const placeOf = (hex: string, port: string, order: ByteOrder | undefined): Place => ({
  address: decodeAddress(hex, order).replace(/^::ffff:(?=\d+\.)/, ''),
  port: Number.parseInt(port, 16),
});
