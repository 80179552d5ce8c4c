import type { Finding, SeverityName } from '#wire/audit';
import type { Listener, ServicesReport } from '#inspect';
import type { KnownService } from './known-service.ts';
import { portSeverities } from './known-services.ts';
import { ladderOf } from './ladder.ts';
import { recognise, subjectOf } from './recognise.ts';

/**
 * What listens for strangers, each with its ladder. Loopback, unix sockets and other network namespaces are as they
 * should be; so are sockets that were gone at the second look. A service that listens on the IPv4 and the IPv6 wildcard
 * is one finding.
 *
 * How bad: databases, caches and RPC that strangers can reach are `high`, `critical` if they obey without a password;
 * an unknown service or an unseen holder is `medium`; what is meant to be reached is `low`. One private address is one
 * step less than all of them; running wholly as root is one step more.
 */
export const findServices = (report: ServicesReport): Finding[] => {
  const exposed = report.listeners.filter(
    (one) => (one.scope === 'public' || one.scope === 'network') && one.transient !== true,
  );
  const groups = Map.groupBy(exposed, groupKey);
  return [...groups.values()].flatMap((group) => {
    const [first] = group.toSorted((a, b) => Number(b.address === '::') - Number(a.address === '::'));
    return first === undefined ? [] : judge(first, group);
  });
};

const groupKey = (one: Listener): string =>
  JSON.stringify([
    one.protocol,
    one.port,
    isWildcard(one) ? '*' : one.address,
    one.holder,
    one.processes.map(({ pid }) => pid),
    // Sockets of unseen holders are not known to belong together.
    one.holder === 'unseen' ? one.inodes : null,
  ]);

const isWildcard = ({ address }: Listener): boolean => address === '::' || address === '0.0.0.0';

const judge = (listener: Listener, group: readonly Listener[]): Finding[] => {
  if (listener.protocol === 'raw' || listener.protocol === 'packet') return judgeRaw(listener);
  const known = recognise(listener);
  const severity = severityOf(listener, known);
  if (severity === 'info' && known !== null) return [];
  return [
    {
      id: `services/${listener.scope}-listener/${endpointName(listener)}`,
      section: 'services',
      severity,
      title: `${subjectOf(listener)} listens on ${place(listener, group)} (${listener.protocol})`,
      evidence: evidenceOf(listener, known),
      options: ladderOf(listener, known),
    },
  ];
};

const endpointName = ({ protocol, address, port }: Listener): string =>
  `${protocol}-${address.includes(':') ? `[${address}]` : address}:${port ?? '*'}`;

const place = (listener: Listener, group: readonly Listener[]): string => {
  const port = `port ${listener.port ?? 'unknown'}`;
  if (!isWildcard(listener)) return `${listener.address}, ${port}`;
  const both = group.length > 1 || (listener.address === '::' && listener.v6only !== true);
  if (both) return `every address, ${port}`;
  return `every ${listener.address === '::' ? 'IPv6' : 'IPv4'} address, ${port}`;
};

const severities: readonly SeverityName[] = ['critical', 'high', 'medium', 'low', 'info'];

const step = (severity: SeverityName, by: -1 | 1): SeverityName =>
  severities[Math.min(3, Math.max(0, severities.indexOf(severity) + by))] ?? severity;

const severityOf = (listener: Listener, known: KnownService | null): SeverityName => {
  const byPort = portSeverities.find(
    ({ service, port }) => service === known?.name && port === listener.port,
  );
  const base = byPort?.exposed ?? known?.exposed ?? (listener.transient === false ? 'low' : 'medium');
  if (base === 'info') return base;
  const reached = listener.scope === 'network' ? step(base, 1) : base;
  const rootAlone = listener.processes.length > 0 && listener.processes.every(({ uid }) => uid === 0);
  const raises =
    rootAlone && listener.holder === 'process' && !known?.meantForStrangers && reached !== 'high';
  return raises ? step(reached, -1) : reached;
};

const evidenceOf = (listener: Listener, known: KnownService | null): string[] => {
  const byPort = portSeverities.find(
    ({ service, port }) => service === known?.name && port === listener.port,
  );
  const shown = listener.processes.slice(0, 3).map((process) => {
    const parts = [
      `pid ${process.pid} ${process.exe ?? '(executable unreadable)'}`,
      process.user === null ? null : `user ${process.user}`,
      process.unit,
      process.package === null ? null : `package ${process.package}`,
    ];
    return parts.filter((part) => part !== null).join(', ');
  });
  const more = listener.processes.length - shown.length;
  return [
    ...shown,
    ...(more > 0 ? [`and ${more} more processes have it open`] : []),
    ...(listener.processes.some(({ deleted }) => deleted)
      ? ['its executable was replaced or removed since it started']
      : []),
    ...(listener.socketUnit === null
      ? []
      : [`held through ${listener.socketUnit}: the address is set there`]),
    ...(listener.whyUnseen === null
      ? []
      : [
          `${listener.whyUnseen}${listener.uid === null ? '' : `; the socket belongs to user id ${listener.uid}`}`,
        ]),
    ...(known === null ? [] : [`${known.name}: ${byPort?.why ?? known.why}`]),
    ...(listener.transient === false ? ['an ephemeral port: perhaps it only waits for answers'] : []),
    'judged by its address alone: firewall rules are not counted',
  ];
};

const packetTools = /\/(?:dhclient|dhcpcd|systemd-networkd|NetworkManager|wpa_supplicant|lldpd|udhcpc)$/;

/** Raw and packet sockets take bytes without a port, and packet sockets before any firewall rule. */
const judgeRaw = (listener: Listener): Finding[] => {
  if (listener.processes.length > 0 && listener.processes.every(({ exe }) => packetTools.test(exe ?? '')))
    return [];
  const what =
    listener.protocol === 'packet'
      ? `sees every packet on ${listener.address === '*' ? 'every interface' : listener.address}, before the firewall`
      : `takes raw IP packets (protocol ${listener.port ?? '?'})`;
  return [
    {
      id: `services/${listener.scope}-listener/${endpointName(listener)}`,
      section: 'services',
      severity: listener.protocol === 'packet' ? 'low' : 'info',
      title: `${subjectOf(listener)} ${what}`,
      evidence: evidenceOf(listener, null).slice(0, -1),
      options: [
        {
          step: 'investigate',
          action: 'see whether it should: a capture that was left running, a monitor, a sniffer',
        },
        ...doNotRunRaw(listener),
      ],
    },
  ];
};

const doNotRunRaw = (listener: Listener): Finding['options'] =>
  ladderOf(listener, null).filter((option) => option.step === 'do not run');
