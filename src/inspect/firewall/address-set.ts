import { isIP } from 'node:net';

export type Family = 4 | 6;

/** Addresses of one family: disjoint ranges in ascending order, both ends included. */
export type AddressSet = readonly (readonly [first: bigint, last: bigint])[];

export const bitsOf = (family: Family): number => (family === 4 ? 32 : 128);

export const everyAddress = (family: Family): AddressSet => [[0n, (1n << BigInt(bitsOf(family))) - 1n]];
export const noAddress: AddressSet = [];
export const isEmpty = (set: AddressSet): boolean => set.length === 0;

export const intersection = (a: AddressSet, b: AddressSet): AddressSet => {
  const both: [bigint, bigint][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const [aFirst, aLast] = a[i] ?? [0n, 0n];
    const [bFirst, bLast] = b[j] ?? [0n, 0n];
    const first = aFirst > bFirst ? aFirst : bFirst;
    const last = aLast < bLast ? aLast : bLast;
    if (first <= last) both.push([first, last]);
    if (aLast < bLast) i += 1;
    else j += 1;
  }
  return both;
};

export const union = (a: AddressSet, b: AddressSet): AddressSet => {
  const sorted = [...a, ...b].sort(([x], [y]) => (x < y ? -1 : x > y ? 1 : 0));
  const joined: [bigint, bigint][] = [];
  for (const [first, last] of sorted) {
    const before = joined.at(-1);
    if (before === undefined || first > before[1] + 1n) joined.push([first, last]);
    else if (last > before[1]) before[1] = last;
  }
  return joined;
};

export const difference = (a: AddressSet, b: AddressSet): AddressSet => {
  const left: [bigint, bigint][] = [];
  for (const [first, last] of a) {
    let from = first;
    for (const [bFirst, bLast] of b) {
      if (bLast < from || bFirst > last) continue;
      if (bFirst > from) left.push([from, bFirst - 1n]);
      from = bLast + 1n;
    }
    if (from <= last) left.push([from, last]);
  }
  return left;
};

/** How many addresses are in it. */
export const sizeOf = (set: AddressSet): bigint =>
  set.reduce((sum, [first, last]) => sum + last - first + 1n, 0n);

/** The number that an address stands for; `null` for text that is none. */
export const addressNumber = (text: string): { family: Family; value: bigint } | null => {
  const family = isIP(text);
  if (family === 4)
    return { family, value: text.split('.').reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n) };
  if (family !== 6) return null;
  const quad = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const plain =
    quad === null
      ? text
      : `${quad[1]}${((Number(quad[2]) << 8) | Number(quad[3])).toString(16)}:${((Number(quad[4]) << 8) | Number(quad[5])).toString(16)}`;
  const [head = '', tail] = plain.split('%')[0]?.split('::') ?? [];
  const groups = (part: string): string[] => part.split(':').filter((group) => group !== '');
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after];
  return { family, value: all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n) };
};

/** Of `192.0.2.7`, `192.0.2.0/24`, `192.0.2.0/255.255.255.0` or `192.0.2.1-192.0.2.9`; `null` for anything else. */
export const addressSet = (text: string): { family: Family; set: AddressSet } | null => {
  const [from = '', to] = text.split('-');
  if (to !== undefined) {
    const [first, last] = [addressNumber(from), addressNumber(to)];
    if (first === null || last === null || first.family !== last.family) return null;
    return { family: first.family, set: [[first.value, last.value]] };
  }
  const [address = '', mask] = text.split('/');
  const base = addressNumber(address);
  if (base === null) return null;
  const length = mask === undefined ? bitsOf(base.family) : prefixLength(mask);
  if (length === null || length > bitsOf(base.family)) return null;
  const host = BigInt(bitsOf(base.family) - length);
  const first = (base.value >> host) << host;
  return { family: base.family, set: [[first, first + (1n << host) - 1n]] };
};

const prefixLength = (mask: string): number | null => {
  if (/^\d+$/.test(mask)) return Number(mask);
  const value = addressNumber(mask);
  if (value === null) return null;
  const bits = value.value.toString(2).padStart(bitsOf(value.family), '0');
  return /^1*0*$/.test(bits) ? bits.replaceAll('0', '').length : null;
};

/** As the fewest networks: `10.0.0.0/8`; a single address without its length. */
export const networksOf = (set: AddressSet, family: Family): string[] =>
  set.flatMap(([first, last]) => {
    const networks: string[] = [];
    for (let from = first; from <= last;) {
      let host = 0n;
      while (
        host < BigInt(bitsOf(family)) &&
        (from >> host) % 2n === 0n &&
        from + (1n << (host + 1n)) - 1n <= last
      )
        host += 1n;
      const length = bitsOf(family) - Number(host);
      networks.push(`${addressText(from, family)}${length === bitsOf(family) ? '' : `/${length}`}`);
      from += 1n << host;
    }
    return networks;
  });

const addressText = (value: bigint, family: Family): string => {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  );
  // RFC 5952, as the runtime writes it.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
};
