import { networkInterfaces } from 'node:os';

/** A way by which strangers' packets come: an interface and an address that this host has on it. */
export type Entrance = { interface: string; address: string; family: 4 | 6 };

/** Of the network namespace of this process; loopback is no entrance. Source: getifaddrs(3). */
export const entrances = (): Entrance[] =>
  Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses
      .filter(({ internal }) => !internal)
      .map(({ address, family }) => ({ interface: name, address, family: family === 'IPv6' ? 6 : 4 })),
  );
