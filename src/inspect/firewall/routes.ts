import { decodeAddress } from '../services/address.ts';
import { textOf } from '../host.ts';
import { addressNumber, bitsOf, type Family } from './address-set.ts';

/** A way out: to addresses that begin as `network` does for `length` bits. */
export type Route = { family: Family; network: bigint; length: number; interface: string };

/** /proc/net/route: `Iface Destination Gateway Flags RefCnt Use Metric Mask …`; addresses in host byte order. */
export const parseRoutes = (text: string): Route[] =>
  text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [name, destination, , , , , , mask] = line.trim().split(/\s+/);
      if (name === undefined || destination === undefined || mask === undefined) return [];
      const length = [...Number.parseInt(mask, 16).toString(2)].filter((bit) => bit === '1').length;
      return routeOf(4, decodeAddress(destination), length, name);
    });

/** /proc/net/ipv6_route: destination, prefix length, source, its length, next hop, …, interface; network byte order. */
export const parseRoutes6 = (text: string): Route[] =>
  text.split('\n').flatMap((line) => {
    const words = line.trim().split(/\s+/);
    const [destination, length] = words;
    const name = words.at(-1);
    if (destination?.length !== 32 || length === undefined || name === undefined || name === 'lo') return [];
    return routeOf(6, decodeAddress(destination, 'BE'), Number.parseInt(length, 16), name);
  });

const routeOf = (family: Family, address: string, length: number, name: string): Route[] => {
  const number = addressNumber(address);
  return number === null ? [] : [{ family, network: number.value, length, interface: name }];
};

/** The main table's most specific way to the address; `null` where there is none. */
export const wayTo = (routes: readonly Route[], address: string): string | null => {
  const to = addressNumber(address);
  if (to === null) return null;
  const rest = (length: number): bigint => BigInt(bitsOf(to.family) - length);
  const fitting = routes.filter(
    ({ family, network, length }) =>
      family === to.family && to.value >> rest(length) === network >> rest(length),
  );
  return fitting.toSorted((a, b) => b.length - a.length)[0]?.interface ?? null;
};

/** Of the host's own namespace. */
export const collectRoutes = (proc: string): Route[] => [
  ...parseRoutes(textOf(`${proc}/1/net/route`) ?? ''),
  ...parseRoutes6(textOf(`${proc}/1/net/ipv6_route`) ?? ''),
];
