import { isIPv4 } from 'node:net';

export type OpenPort = { protocol: 'tcp' | 'udp'; port: number };

/** Who may reach which ports. */
export type Admission = {
  ports: readonly OpenPort[];
  /** Addresses and networks, `192.0.2.0/24`. */
  networks: readonly string[];
  /** Hosts that hold a certificate, and the address from which they asked for it. */
  hosts: readonly { name: string; address: string }[];
};

/**
 * A file for nft(8) that lets only those who may speak reach the listeners. It has a table of its own, judges nothing but
 * these ports, and can be loaded again: what it said before goes in the same transaction (nft(8), "delete table").
 */
export const nftRuleset = ({ ports, networks, hosts }: Admission): string => {
  const of = (protocol: OpenPort['protocol']): string =>
    [...new Set(ports.filter((one) => one.protocol === protocol).map(({ port }) => port))]
      .toSorted((a, b) => a - b)
      .join(', ');
  const addresses = [...new Set([...networks, ...hosts.map(({ address }) => address)])];
  const isV4 = (network: string): boolean => isIPv4(network.split('/')[0] ?? '');
  const rules = (['tcp', 'udp'] as const).flatMap((protocol) => {
    const wanted = of(protocol);
    return wanted === ''
      ? []
      : [
          `${protocol} dport { ${wanted} } ip saddr @allowed4 accept`,
          `${protocol} dport { ${wanted} } ip6 saddr @allowed6 accept`,
          `${protocol} dport { ${wanted} } counter drop`,
        ];
  });
  return [
    '# Made by `holdfast hosts firewall`: who may reach the listeners of Holdfast. It says nothing of other ports.',
    ...hosts.map(({ name, address }) => `# ${address}: ${name}, which holds a certificate`),
    'table inet holdfast',
    'delete table inet holdfast',
    'table inet holdfast {',
    ...set('allowed4', 'ipv4_addr', addresses.filter(isV4)),
    ...set(
      'allowed6',
      'ipv6_addr',
      addresses.filter((one) => !isV4(one)),
    ),
    '  chain input {',
    '    type filter hook input priority filter - 10; policy accept;',
    '    iif lo accept',
    ...rules.map((rule) => `    ${rule}`),
    '  }',
    '}',
    '',
  ].join('\n');
};

const set = (name: string, type: string, elements: readonly string[]): string[] => [
  `  set ${name} {`,
  `    type ${type}`,
  '    flags interval',
  '    auto-merge',
  ...(elements.length === 0 ? [] : [`    elements = { ${elements.join(', ')} }`]),
  '  }',
];
