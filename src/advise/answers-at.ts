import type { Listener } from '#inspect';

/**
 * Whether what is sent to `address`, an address of the host's own, gets to the socket: it is bound to that address, or to
 * all of the address's family. A wildcard of IPv6 takes IPv4 too unless it is known not to.
 */
export const answersAt = (
  { address: bound, v6only, own }: Pick<Listener, 'address' | 'v6only'> & { own: boolean },
  probed: string,
): boolean => {
  if (!own) return false;
  // The zone of a link-local address is an interface of whoever probes, not of the host.
  const address = probed.replace(/%.*$/, '');
  const bare = bound.replace(/^::ffff:(?=\d+\.)/, '').replace(/^(fe80:.*)%.*$/, '$1');
  if (bare === address || bare === '*') return true;
  return address.includes(':') ? bare === '::' : bare === '0.0.0.0' || (bare === '::' && v6only !== true);
};
