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

/** The interfaces of a namespace. @throws where `ip` (iproute2) is missing or the namespace cannot be entered */
export const collectLinks = async (enter: Enter): Promise<Link[]> => {
  const [program = '', ...rest] = [...enter, 'ip', '-json', '-details', 'address'];
  const [{ stdout }, { parseLinks }] = await Promise.all([
    promisify(execFile)(program, rest, {
      timeout: 10_000,
      maxBuffer: 64 << 20,
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
    }),
    // Loaded while the program runs.
    import('./ip-json.ts'),
  ]);
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
