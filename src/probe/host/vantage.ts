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
  const [named = '', ...others] = await addressesOf(host);
  if (isManyHosts(named))
    throw new ProbeError('bad-host', `${named} is not the address of one host: name one`);
  if (/^fe[89ab].:[^%]*$/i.test(named))
    throw new ProbeError(
      'bad-host',
      `${named} is of one link alone: name the interface of this machine that leads there, ${named}%eth0`,
    );
  const { address, from } = await wayTo(named);
  return { host, address, others, from, itself: from === address || isLoopback(address) };
};

const addressesOf = async (host: string): Promise<string[]> => {
  const literal = host.replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIP(literal) !== 0) return [literal];
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    throw new ProbeError('unknown-host', `no address is known for '${host}': give its address instead`, {
      cause: error,
    });
  }
};

/**
 * The address as the kernel writes it, which is how the host lists it, and the one that it is seen from: a datagram socket
 * that is connected sends nothing.
 */
const wayTo = async (address: string): Promise<{ address: string; from: string }> => {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  try {
    socket.connect(9, address);
    await once(socket, 'connect');
    return { address: socket.remoteAddress().address, from: socket.address().address };
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
