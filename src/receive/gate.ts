import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Allowed } from '#wire/listen';
import { ReceiveError } from './errors.ts';

/** Who may speak: by network, and by the name in a certificate that the authority has issued. */
export type Gate = {
  /** @param address of the peer, without its port */
  admitsAddress(address: string): boolean;
  /** @param name in a certificate that was verified; `''` = it showed none */
  admitsName(name: string): boolean;
  /** Whether a sender over TLS may come without a certificate, if its address is admitted. */
  readonly certificates: Allowed['certificates'];
};

/** @throws ReceiveError `bad-allow-list` for what is no address and no network */
export const openGate = ({ networks, names, certificates }: Allowed): Gate => {
  const list = new BlockList();
  list.addSubnet('127.0.0.0', 8, 'ipv4');
  list.addAddress('::1', 'ipv6');
  for (const network of networks) addNetwork(list, network);
  const patterns = names.map(namePattern);
  return {
    admitsAddress: (address) => isIP(bare(address)) !== 0 && list.check(bare(address), family(bare(address))),
    admitsName: (name) => name !== '' && (patterns.length === 0 || patterns.some((one) => one.test(name))),
    certificates,
  };
};

/** Also without the zone of a link-local address, and as IPv4 where it is one. */
const bare = (address: string): string => address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');

const family = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4');

const addNetwork = (list: BlockList, text: string): void => {
  const [, address = '', , bits] = /^([^/]+)(\/(\d{1,3}))?$/.exec(text) ?? [];
  const most = isIPv6(address) ? 128 : 32;
  const prefix = bits === undefined ? most : Number(bits);
  if (isIP(address) === 0 || prefix > most)
    throw new ReceiveError(
      'bad-allow-list',
      `'${text}' is no address and no network. Write it like 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32`,
    );
  list.addSubnet(address, prefix, family(address));
};

/** Host names are compared without regard to case (RFC 5280 §7.2). */
const namePattern = (glob: string): RegExp =>
  new RegExp(
    `^${glob
      .split('*')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
    'i',
  );
