import type { Option } from '#wire/audit';
import { portsOf, type Door } from './doors.ts';

/** A firewall rule that leaves the door to one network: with what to see first, and how it stays. */
export const firewalled = ({ listeners, processes, known }: Door): Option[] => {
  if (known?.exposed === 'info') return [];
  if (processes.some(({ exe }) => exe?.endsWith('/docker-proxy') === true)) {
    const action = `allow only who needs it in the chain DOCKER-USER; ufw and the INPUT chain do not see published ports`;
    return [{ step: 'firewalled', action }];
  }
  const matches = portsOf(listeners).flatMap(([protocol, ports]) => {
    if ((protocol !== 'tcp' && protocol !== 'udp') || ports.length === 0) return [];
    return [`${protocol} dport ${ports.length === 1 ? String(ports[0]) : `{ ${ports.join(', ')} }`}`];
  });
  if (matches.length === 0) return [];
  // Both rules go in front of all others in one transaction: the second inserted is the first to match.
  const rules = matches.flatMap((match) => [
    `insert rule inet filter input ${match} iifname != lo drop`,
    `insert rule inet filter input ${match} ip saddr <network> accept`,
  ]);
  const isLogin = known?.name === 'OpenSSH' || listeners.some(({ port }) => port === 22);
  const parts = [
    'allow only the network that needs it',
    'see first what filters here: nft list ruleset (ufw or firewalld: use theirs; no chain inet filter input: use the names it shows)',
    `nft '${rules.join('; ')}'`,
    'it lasts until the next boot: put the same into /etc/nftables.conf (accept before drop), checked with nft -c -f /etc/nftables.conf; an IPv6 network takes ip6 saddr',
    ...(isLogin
      ? [
          'be sure that <network> holds your own address, and keep this session open until a new one works: it can lock you out',
        ]
      : []),
  ];
  return [{ step: 'firewalled', action: parts.join('; ') }];
};
