import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { endianness } from 'node:os';
import { messageOf } from '#base/errors';
import type { Looked } from '#base/looked';

/**
 * Datagrams that the kernel has dropped since the UDP socket bound to this address was opened, mostly because its
 * receive buffer was full: last column of /proc/net/udp and /proc/net/udp6 (net/ipv4/udp.c, `udp4_format_sock`).
 * `found` with the number, `clean` for none.
 */
export const readKernelDrops = async (address: string, port: number): Promise<Looked<number>> => {
  const path = isIPv6(address) ? '/proc/net/udp6' : '/proc/net/udp';
  const what = 'datagrams dropped by the kernel';
  try {
    const drops = dropsOf(await readFile(path, 'latin1'), kernelAddress(address, port));
    if (drops === null) {
      const why = `${path} does not list the socket`;
      return {
        result: 'could-not-look',
        couldNotLook: [{ what, why, remedy: 'mount /proc of this network namespace' }],
      };
    }
    return drops === 0
      ? { result: 'clean', couldNotLook: [] }
      : { result: 'found', value: drops, couldNotLook: [] };
  } catch (error) {
    const remedy = `let the receiver read ${path} (systemd: ProcSubset=all)`;
    return { result: 'could-not-look', couldNotLook: [{ what, why: messageOf(error), remedy }] };
  }
};

/** `null` if no socket has this local address. */
export const dropsOf = (table: string, local: string): number | null => {
  for (const line of table.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    if (columns[1] === local) return Number(columns.at(-1));
  }
  return null;
};

/** The `local_address` column: each 32-bit word of the address in the machine's byte order, then the port, in hex. */
export const kernelAddress = (address: string, port: number): string => {
  const bytes = Buffer.from(isIPv6(address) ? ipv6Bytes(address) : address.split('.').map(Number));
  if (endianness() === 'LE') bytes.swap32();
  return `${bytes.toString('hex')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
};

/** The 16 bytes of a valid IPv6 address (RFC 4291 §2.2), zone ignored. */
const ipv6Bytes = (address: string): number[] => {
  const bare = address.replace(/%.*$/, '').replace(/\d+\.\d+\.\d+\.\d+$/, (v4) => {
    const [a = 0, b = 0, c = 0, d = 0] = v4.split('.').map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [left = '', right] = bare.split('::');
  const head = words(left);
  const tail = words(right ?? '');
  const all = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
  return all.flatMap((word) => [word >> 8, word & 0xff]);
};

const words = (text: string): number[] =>
  text === '' ? [] : text.split(':').map((word) => parseInt(word, 16));
