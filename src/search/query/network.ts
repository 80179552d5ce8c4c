import { BlockList, isIP } from 'node:net';

/** Addresses of one network, as the 16 bytes of IPv6; IPv4 stands in ::ffff:0:0/96. */
export type Network = {
  /** The first and the last address, as IPv6 text. */
  first: string;
  last: string;
  contains(address: string): boolean;
};

/** `address/bits`; `null` if the text is no network. */
export const parseNetwork = (text: string): Network | null => {
  const match = /^\[?([0-9A-Fa-f:.]+)\]?\/(\d{1,3})$/.exec(text);
  const address = match?.[1] ?? '';
  const version = isIP(address);
  const bits = Number(match?.[2]);
  if (version === 0 || bits > (version === 4 ? 32 : 128)) return null;
  const bytes = addressBytes(address);
  if (bytes === null) return null;
  const kept = version === 4 ? bits + 96 : bits;
  const edge = (fill: 0 | 255): string =>
    bytes
      .map((byte, at) => {
        const free = Math.min(8, Math.max(0, (at + 1) * 8 - kept));
        const mask = 0xff >> (8 - free);
        return (byte & ~mask & 0xff) | (fill & mask);
      })
      .reduce(
        (all, byte, at) => `${all}${at > 0 && at % 2 === 0 ? ':' : ''}${byte.toString(16).padStart(2, '0')}`,
        '',
      );
  const list = new BlockList();
  const [first, last] = [edge(0), edge(255)];
  list.addRange(first, last, 'ipv6');
  return {
    first,
    last,
    contains: (one) => {
      const bare = one.replace(/%.*$/, '');
      const kind = isIP(bare);
      return kind !== 0 && list.check(kind === 4 ? `::ffff:${bare}` : bare, 'ipv6');
    },
  };
};

/** The IPv4 address that an IPv6 address stands for (`::ffff:10.0.0.5`), else `null`. */
export const mappedFour = (address: string): string | null => {
  const bytes = addressBytes(address) ?? [];
  return bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255
    ? bytes.slice(12).join('.')
    : null;
};

/** The 16 bytes of an address; `null` if the text is none. */
export const addressBytes = (address: string): number[] | null => {
  const version = isIP(address);
  if (version === 4) return [...zeros(10), 255, 255, ...address.split('.').map(Number)];
  if (version === 0) return null;
  const [, v4] = /(\d+\.\d+\.\d+\.\d+)$/.exec(address) ?? [];
  const tail = v4 === undefined ? [] : v4.split('.').map(Number);
  const text = v4 === undefined ? address : address.slice(0, -v4.length);
  const [before = '', after] = text.split('::', 2);
  const groups = (part: string): number[] =>
    part
      .split(':')
      .filter((group) => group !== '')
      .flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]);
  const left = groups(before);
  const right = [...groups(after ?? ''), ...tail];
  return [...left, ...zeros(16 - left.length - right.length), ...right];
};

const zeros = (length: number): number[] => Array.from({ length }, () => 0);
