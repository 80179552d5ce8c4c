import { isIPv6 } from 'node:net';

/**
 * Whom an address counts as where something is shared out: an IPv4 address as itself, an IPv6 address as its /64, all of
 * which one host has (RFC 4291 §2.5.4).
 */
export const networkOf = (address: string): string => {
  const bare = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(bare)) return bare;
  const [before = '', after] = bare.toLowerCase().split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const tail = groups(after ?? '');
  // An IPv4 address at the end stands for two groups.
  const tailLength = tail.length + (tail.at(-1)?.includes('.') === true ? 1 : 0);
  const head = groups(before);
  const zeros = after === undefined ? 0 : 8 - head.length - tailLength;
  const all = [...head, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...tail];
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
};
