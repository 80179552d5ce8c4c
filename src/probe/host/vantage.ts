import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { isIP, isIPv6 } from 'node:net';
import { messageOf, systemCode } from '#base/errors';
import { ProbeError } from './errors.ts';

/** From where one looks, and at what. */
export type Vantage = {
  /** As it was given. */
  host: string;
  /** The address that is probed. */
  address: string;
  /** Other addresses of the name. */
  others: string[];
  /** The own address from which the host is seen. */
  from: string;
  /** It is this machine itself: what is seen came over lo, and says nothing of a firewall before it. */
  itself: boolean;
};

/**
 * Looks the name up and asks the kernel for the way; nothing is sent to the host.
 * @throws ProbeError `bad-host`, `unknown-host`, `no-way`
 */
export const vantageOf = async (host: string): Promise<Vantage> => {
  const [address = '', ...others] = await addressesOf(host);
  if (isManyHosts(address))
    throw new ProbeError('bad-host', `${address} is not the address of one host: name one`);
  const from = await sourceTowards(address);
  return { host, address, others, from, itself: from === address || isLoopback(address) };
};

const addressesOf = async (host: string): Promise<string[]> => {
  if (isIP(host) !== 0) return [host];
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    throw new ProbeError('unknown-host', `no address is known for '${host}': give its address instead`, {
      cause: error,
    });
  }
};

/** The address that the kernel sends from: a datagram socket that is connected sends nothing. */
const sourceTowards = async (address: string): Promise<string> => {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  try {
    socket.connect(9, address);
    await once(socket, 'connect');
    return socket.address().address;
  } catch (error) {
    throw new ProbeError(
      'no-way',
      `there is no way from here to ${address} (${systemCode(error) ?? messageOf(error)}): probe it from a host that has one`,
      { cause: error },
    );
  } finally {
    socket.close();
  }
};

const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');

/** Multicast, broadcast, unspecified. */
const isManyHosts = (address: string): boolean =>
  isIPv6(address)
    ? /^(ff|::$)/i.test(address)
    : Number(address.split('.')[0]) >= 224 || address.startsWith('0.');
