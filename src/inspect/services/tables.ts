import { InspectError } from '../errors.ts';
import { decodeAddress, type ByteOrder } from './address.ts';
import type { Protocol } from './report.ts';

/** A row of a socket table that accepts bytes from anyone. */
export type SocketRow = {
  protocol: Protocol;
  family: 4 | 6 | null;
  address: string;
  port: number | null;
  uid: number | null;
  inode: number;
  /** It may be that it takes from its peer alone: the table does not tell. */
  perhapsPaired?: true;
};

/** Tables of /proc/<pid>/net, and how each is read. Absent ones belong to parts the kernel does not have. */
export const tables: {
  file: string;
  protocol: Protocol;
  parse: (text: string, order?: ByteOrder) => SocketRow[];
}[] = [
  { file: 'tcp', protocol: 'tcp', parse: (text, order) => inetRows(text, 'tcp', 4, order) },
  { file: 'tcp6', protocol: 'tcp', parse: (text, order) => inetRows(text, 'tcp', 6, order) },
  { file: 'udp', protocol: 'udp', parse: (text, order) => inetRows(text, 'udp', 4, order) },
  { file: 'udp6', protocol: 'udp', parse: (text, order) => inetRows(text, 'udp', 6, order) },
  { file: 'udplite', protocol: 'udplite', parse: (text, order) => inetRows(text, 'udplite', 4, order) },
  { file: 'udplite6', protocol: 'udplite', parse: (text, order) => inetRows(text, 'udplite', 6, order) },
  { file: 'raw', protocol: 'raw', parse: (text, order) => inetRows(text, 'raw', 4, order) },
  { file: 'raw6', protocol: 'raw', parse: (text, order) => inetRows(text, 'raw', 6, order) },
  { file: 'packet', protocol: 'packet', parse: (text) => packetRows(text) },
  { file: 'sctp/eps', protocol: 'sctp', parse: (text) => sctpRows(text) },
  { file: 'unix', protocol: 'unix', parse: (text) => unixRows(text) },
];

// sl local:port remote:port st tx:rx tr:when retrnsmt uid timeout inode …
const inetRow =
  /^ *\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4,}) [0-9A-F]+:[0-9A-F]+ ([0-9A-F]{2}) [0-9A-F]+:[0-9A-F]+ [0-9A-F]+:[0-9A-F]+ [0-9A-F]+ +(\d+) +\d+ (\d+) /;

/**
 * /proc/net/{tcp,udp,udplite,raw} and their `6` forms: the sockets that take bytes from anyone, which is state 0A
 * (LISTEN) for TCP, and 07 (unconnected; 01 is connected to one peer) for the others. For raw sockets the "port" is
 * the IP protocol. Source: proc_net_tcp.txt, include/net/tcp_states.h.
 *
 * @throws InspectError `malformed-table` if a row is not one; a last row that was cut off is left out
 */
export const inetRows = (text: string, protocol: Protocol, family: 4 | 6, order?: ByteOrder): SocketRow[] => {
  const wanted = protocol === 'tcp' ? '0A' : '07';
  const rows: SocketRow[] = [];
  // A few addresses, over and over.
  const decoded = new Map<string, string>();
  for (const line of bodyLines(text)) {
    const [, hex, port, state, uid, inode] = inetRow.exec(line) ?? [];
    if (hex === undefined || port === undefined) throw malformed(protocol, line);
    if (state !== wanted) continue;
    const address = decoded.get(hex) ?? decodeAddress(hex, order);
    decoded.set(hex, address);
    rows.push({
      protocol,
      family,
      address,
      port: Number.parseInt(port, 16),
      uid: Number(uid),
      inode: Number(inode),
    });
  }
  return rows;
};

/** /proc/net/packet (`sk RefCnt Type Proto Iface R Rmem User Inode`). The address is `if<index>`, or `*` for all. */
export const packetRows = (text: string): SocketRow[] =>
  bodyLines(text).map((line) => {
    const [, , , proto, iface, , , user, inode] = line.trim().split(/ +/);
    if (proto === undefined || iface === undefined || inode === undefined) throw malformed('packet', line);
    return {
      protocol: 'packet',
      family: null,
      address: iface === '0' ? '*' : `if${iface}`,
      port: Number.parseInt(proto, 16),
      uid: Number(user),
      inode: Number(inode),
    };
  });

/** /proc/net/sctp/eps (`ENDPT SOCK STY SST HBKT LPORT UID INODE LADDRS…`): SST 10 is LISTENING. One row per address. */
export const sctpRows = (text: string): SocketRow[] =>
  bodyLines(text).flatMap((line) => {
    const [, , , sst, , port, uid, inode, ...addresses] = line.trim().split(/ +/);
    if (inode === undefined) throw malformed('sctp', line);
    if (sst !== '10') return [];
    return addresses.map((address) => ({
      protocol: 'sctp' as const,
      family: address.includes(':') ? (6 as const) : (4 as const),
      address: address.includes(':') ? compactIPv6(address) : address,
      port: Number(port),
      uid: Number(uid),
      inode: Number(inode),
    }));
  });

const acceptsConnections = 0x10000; // __SO_ACCEPTCON, include/uapi/linux/net.h

/**
 * /proc/net/unix (`Num RefCount Protocol Flags Type St Inode Path`): sockets that listen, and datagram sockets that have
 * a name. Connecting to one of these makes both ends look connected (net/unix/af_unix.c `unix_dgram_connect`), also the
 * one that goes on to take from anyone, as /dev/log does. `@` begins an abstract name. Anyone can put a newline into a
 * socket's name, so a line that is no row is passed over.
 */
export const unixRows = (text: string): SocketRow[] =>
  bodyLines(text).flatMap((line) => {
    const [, flags, type, state, inode, path] =
      /^\S+ \S+ \S+ (\S+) (\S+) (\S+) +(\d+)(?: (.*))?$/.exec(line) ?? [];
    if (flags === undefined || inode === undefined) return [];
    const listens = (Number.parseInt(flags, 16) & acceptsConnections) !== 0;
    const takesDatagrams = type === '0002' && path !== undefined;
    if (!listens && !takesDatagrams) return [];
    return [
      {
        protocol: 'unix',
        family: null,
        address: path ?? '(unnamed)',
        port: null,
        uid: null,
        inode: Number(inode),
        ...(takesDatagrams && state !== '01' ? { perhapsPaired: true } : {}),
      },
    ];
  });

/** Which word of a row is the inode: in these tables and, unlike above, of sockets in any state. */
const inodeColumns: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    ['tcp', 'tcp6', 'udp', 'udp6', 'udplite', 'udplite6', 'raw', 'raw6', 'icmp', 'icmp6'].map((file) => [
      file,
      9,
    ]),
  ),
  packet: 8,
  netlink: 9,
  unix: 6,
  'sctp/eps': 6,
  'sctp/assocs': 10,
};
export const inodeTables = Object.keys(inodeColumns);

/** Inodes of all sockets in a table, whatever they do. */
export const inodesIn = (file: string, text: string): number[] => {
  const column = inodeColumns[file];
  if (column === undefined) return [];
  const row = new RegExp(`^ *(?:[^ ]+ +){${column}}(\\d+)`);
  return bodyLines(text).flatMap((line) => Number(row.exec(line)?.[1]) || []);
};

/** The lines after the heading, without a last line that has no end. */
const bodyLines = (text: string): string[] => text.split('\n').slice(1, -1);

/** sctp prints IPv6 with all its groups. */
const compactIPv6 = (address: string): string => {
  const hex = address
    .split(':')
    .map((group) => group.padStart(4, '0'))
    .join('');
  return hex.length === 32 ? decodeAddress(hex, 'BE') : address;
};

const malformed = (protocol: Protocol, line: string): InspectError =>
  new InspectError(
    'malformed-table',
    `the kernel's ${protocol} table has a row of unknown form: ${JSON.stringify(line.slice(0, 120))}; report it with the output of uname -r`,
  );
