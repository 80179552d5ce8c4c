import { execFile } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { InspectError } from '../errors.ts';
import { memberOf } from '../json.ts';
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

/**
 * What `ip -json -details address` prints (ip-address(8)): a list of objects, `{}` for each that it leaves out.
 * @throws InspectError `malformed-table`, SyntaxError
 */
export const parseLinks = (text: string): Link[] =>
  listOf(JSON.parse(text)).flatMap((printed): Link[] => {
    const name = stringIn(printed, 'ifname');
    if (name === null) return [];
    const info = memberOf(printed, 'linkinfo');
    const port = memberOf(memberOf(info, 'info_data'), 'port');
    return [
      {
        name,
        index: numberIn(printed, 'ifindex') ?? 0,
        kind: stringIn(info, 'info_kind'),
        loopback: listOf(memberOf(printed, 'flags') ?? []).includes('LOOPBACK'),
        master: stringIn(printed, 'master'),
        peer: numberIn(printed, 'link_index'),
        addresses: listOf(memberOf(printed, 'addr_info') ?? []).flatMap(addressesIn),
        tunnelPort: typeof port === 'number' ? port : null,
      },
    ];
  });

const addressesIn = (printed: unknown): Link['addresses'] => {
  const address = stringIn(printed, 'local');
  const prefix = numberIn(printed, 'prefixlen');
  if (address === null || prefix === null) return [];
  return [{ address, family: stringIn(printed, 'family') === 'inet6' ? 6 : 4, prefix }];
};

const malformed = (what: string): never => {
  throw new InspectError('malformed-table', `'ip -json -details address' printed ${what}`);
};

const listOf = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : malformed(`${typeof value} where a list should be`);

/** `null` where it is not there. */
const stringIn = (printed: unknown, name: string): string | null => {
  const value = memberOf(printed, name) ?? null;
  return value === null || typeof value === 'string' ? value : malformed(`${typeof value} as '${name}'`);
};
const numberIn = (printed: unknown, name: string): number | null => {
  const value = memberOf(printed, name) ?? null;
  return value === null || typeof value === 'number' ? value : malformed(`${typeof value} as '${name}'`);
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
