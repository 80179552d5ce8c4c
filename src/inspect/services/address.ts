import { endianness } from 'node:os';

export type ByteOrder = 'LE' | 'BE';

/**
 * The address that /proc/net prints as hexadecimal 32-bit words in host byte order (one for IPv4, four for IPv6),
 * as text: dotted quad, or RFC 5952. Source: net/ipv4/tcp_ipv4.c `get_tcp4_sock`, net/ipv6/tcp_ipv6.c.
 */
export const decodeAddress = (hex: string, order: ByteOrder = endianness()): string => {
  const bytes = Buffer.from(hex, 'hex');
  if (order === 'LE') bytes.swap32();
  return bytes.length === 4 ? bytes.join('.') : formatIPv6(bytes);
};

/** RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as `::`. */
export const formatIPv6 = (bytes: Uint8Array): string => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(i * 2));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${bytes.subarray(12).join('.')}`;
  }
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i += 1) {
    let end = i;
    while (end < 8 && groups[end] === 0) end += 1;
    if (end - i > length) [start, length] = [i, end - i];
    if (end > i) i = end;
  }
  return start < 0
    ? joined(groups)
    : `${joined(groups.slice(0, start))}::${joined(groups.slice(start + length))}`;
};

const joined = (groups: number[]): string => groups.map((group) => group.toString(16)).join(':');

/** What an address says about who can reach it. `private` takes in shared, link-local and multicast ones. */
export type AddressKind = 'wildcard' | 'loopback' | 'private' | 'global';

/** RFC 6890 (and RFC 6598, RFC 4193) for an address as `decodeAddress` writes it. */
export const addressKind = (address: string): AddressKind => {
  if (address === '::' || address === '0.0.0.0') return 'wildcard';
  const quad = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
  if (quad === '0.0.0.0') return 'wildcard';
  if (!quad.includes(':')) return quadKind(quad);
  if (quad === '::1') return 'loopback';
  return /^(?:f[cd]|fe[89ab]|ff)/.test(quad) ? 'private' : 'global';
};

const quadKind = (quad: string): AddressKind => {
  const [a = 0, b = 0] = quad.split('.').map(Number);
  if (a === 127) return 'loopback';
  const inside =
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254) ||
    (a === 100 && b >= 64 && b < 128) ||
    a >= 224;
  return inside ? 'private' : 'global';
};
