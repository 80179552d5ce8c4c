import { execFile } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import type { Enter } from '../services/enter.ts';
import type { Family } from './address-set.ts';

/** An interface of a network namespace. */
export type Link = {
  name: string;
  index: number;
  /** `veth`, `bridge`, `macvlan`, `vxlan`, …; `null` for hardware. */
  kind: string | null;
  loopback: boolean;
  /** The bridge or bond that it is a port of. */
  master: string | null;
  /** Index of its other end, which may lie in another namespace. */
  peer: number | null;
  addresses: readonly { address: string; family: Family; prefix: number }[];
  /** Where a tunnel of the kernel's takes its packets in. */
  tunnelPort: number | null;
};

/** An interface as `ip -json -details address` prints it (ip-address(8)); `{}` for each that it leaves out. */
type PrintedLink = {
  ifname?: string;
  ifindex?: number;
  flags?: string[];
  master?: string;
  link_index?: number;
  linkinfo?: { info_kind?: string; info_data?: { port?: unknown } };
  addr_info?: { family?: string; local?: string; prefixlen?: number }[];
};

/** @throws where it is no list in JSON */
const parseLinks = (text: string): Link[] => {
  const printed: PrintedLink[] = JSON.parse(text);
  return printed.flatMap(
    ({
      ifname,
      ifindex = 0,
      flags = [],
      master = null,
      link_index: peer = null,
      linkinfo,
      addr_info = [],
    }) => {
      if (ifname === undefined) return [];
      const port = linkinfo?.info_data?.port;
      return [
        {
          name: ifname,
          index: ifindex,
          kind: linkinfo?.info_kind ?? null,
          loopback: flags.includes('LOOPBACK'),
          master,
          peer,
          addresses: addr_info.flatMap(({ family, local, prefixlen }): Link['addresses'] =>
            local === undefined || prefixlen === undefined
              ? []
              : [{ address: local, family: family === 'inet6' ? 6 : 4, prefix: prefixlen }],
          ),
          tunnelPort: typeof port === 'number' ? port : null,
        },
      ];
    },
  );
};

/** The interfaces of a namespace. @throws where `ip` (iproute2) is missing or the namespace cannot be entered */
export const collectLinks = async (enter: Enter): Promise<Link[]> => {
  const [program = '', ...rest] = [...enter, 'ip', '-json', '-details', 'address'];
  const { stdout } = await promisify(execFile)(program, rest, {
    timeout: 10_000,
    maxBuffer: 64 << 20,
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  });
  return parseLinks(stdout);
};

/** As far as getifaddrs(3) tells of the namespace of this process: no kinds, no bridges. */
export const plainLinks = (): Link[] =>
  Object.entries(networkInterfaces()).map(([name, addresses = []]) => ({
    name,
    index: 0,
    kind: null,
    loopback: addresses.some(({ internal }) => internal),
    master: null,
    peer: null,
    addresses: addresses.map(({ address, family, cidr }) => ({
      address,
      family: family === 'IPv6' ? 6 : 4,
      prefix: Number(cidr?.split('/')[1] ?? (family === 'IPv6' ? 128 : 32)),
    })),
    tunnelPort: null,
  }));

/** A way by which strangers' packets come: an interface and an address on it. */
export type Entrance = { interface: string; address: string; family: Family; prefix: number };

/** Loopback is no entrance. */
export const entrancesOf = (links: readonly Link[]): Entrance[] =>
  links
    .filter(({ loopback }) => !loopback)
    .flatMap(({ name, addresses }) => addresses.map((one) => ({ interface: name, ...one })));
