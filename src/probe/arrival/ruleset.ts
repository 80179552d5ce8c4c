import { tokenFor, tokenOffset } from '#probe/host';

/**
 * Commands of nft(8), one a line, for a table that only counts: datagrams with a token, before every filter (`reached`),
 * after every filter on the way to a socket of this host (`passed`), and after every filter on the way on (`forwarded`).
 * The table belongs to the process that made it (`flags owner`): the kernel removes it when that ends, however it ends.
 */
export const rulesetFor = (table: string, token: string, ports: readonly number[]): string[] => [
  `add table inet ${table} { flags owner; }`,
  ...chains.flatMap(({ name, hook, priority }) => [
    `add chain inet ${table} ${name} { type filter hook ${hook} priority ${priority}; policy accept; }`,
    ...ports.map(
      (port) =>
        `add rule inet ${table} ${name} meta l4proto udp @th,${udpHeader + 8 * tokenOffset},128 ${hex(tokenFor(token, port))} counter comment "udp/${port}"`,
    ),
  ]),
];

/** Bits of a UDP header. */
const udpHeader = 64;

const hex = (text: string): string => `0x${Buffer.from(text, 'latin1').toString('hex')}`;

/** Priorities: netfilter's own reach from conntrack's defragmentation (-400) to its helpers (300). */
const chains = [
  { name: 'reached', hook: 'prerouting', priority: -399 },
  { name: 'passed', hook: 'input', priority: 1000 },
  { name: 'forwarded', hook: 'forward', priority: 1000 },
] as const;

export type Counted = { port: number; reached: number; passed: number; forwarded: number };

/**
 * What `nft list table` says of those counters. Not `nft -j`: version 1.0.6 (Debian 12) reads beyond its table of flags
 * where it comes to `owner`.
 */
export const countersIn = (listing: string, ports: readonly number[]): Counted[] => {
  const counted = new Map(ports.map((port) => [port, { port, reached: 0, passed: 0, forwarded: 0 }]));
  let chain = '';
  for (const line of listing.split('\n')) {
    chain = /^\s*chain (\w+) \{/.exec(line)?.[1] ?? chain;
    const [, packets, port] = /counter packets (\d+) bytes \d+ comment "udp\/(\d+)"/.exec(line) ?? [];
    const one = counted.get(Number(port));
    if (one !== undefined && isChain(chain)) one[chain] += Number(packets);
  }
  return [...counted.values()];
};

/** How many of the rules a listing shows. */
export const countRules = (listing: string): number => listing.match(/\bcounter packets\b/g)?.length ?? 0;

type ChainName = (typeof chains)[number]['name'];
const isChain = (name: string): name is ChainName => chains.some((chain) => chain.name === name);
