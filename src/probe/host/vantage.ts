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
  /** The own address from which the host is seen. */
  from: string;
  /** It is this machine itself: what is seen came over lo, and says nothing of a firewall before it. */
  itself: boolean;
};

/** All addresses of a name. */
export type Vantages = {
  /** Of each that is probed; at least one. */
  vantages: Vantage[];
  /** Those that cannot be. */
  lost: { address: string; why: string }[];
  /** Those beyond the most that are probed. */
  others: string[];
};

/** A name of more is of a fleet, and not of one host. */
const mostAddresses = 8;

/**
 * Looks the name up and asks the kernel for the ways; nothing is sent to the host.
 * @throws ProbeError `bad-host`, `unknown-host`, `no-way`, where no address is left
 */
export const vantagesOf = async (host: string, lookUp = addressesOf): Promise<Vantages> => {
  const addresses = [...new Set(await lookUp(host))];
  const vantages = new Map<string, Vantage>();
  const lost: Vantages['lost'] = [];
  for (const named of addresses.slice(0, mostAddresses))
    try {
      const vantage = await vantageAt(host, named);
      vantages.set(vantage.address, vantage);
    } catch (error) {
      if (!(error instanceof ProbeError) || addresses.length === 1) throw error;
      lost.push({ address: named, why: error.message });
    }
  if (vantages.size === 0)
    throw new ProbeError('no-way', `${host} cannot be probed: ${lost.map(({ why }) => why).join('; ')}`);
  return { vantages: [...vantages.values()], lost, others: addresses.slice(mostAddresses) };
};

const vantageAt = async (host: string, named: string): Promise<Vantage> => {
  if (isManyHosts(named))
    throw new ProbeError('bad-host', `${named} is not the address of one host: name one`);
  if (/^fe[89ab].:[^%]*$/i.test(named))
    throw new ProbeError(
      'bad-host',
      `${named} is of one link alone: name the interface of this machine that leads there, ${named}%eth0`,
    );
  const { address, from } = await wayTo(named);
  return { host, address, from, itself: from === address || isLoopback(address) };
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
