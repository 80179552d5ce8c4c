import type { SeverityName } from '#wire/audit';
import type { HolderProcess, InitSystem, Listener } from '#inspect';
import { isClients, severityOf } from './exposure.ts';
import type { KnownService } from './known-service.ts';
import { recognise } from './recognise.ts';

/** Everything that one holder has open in one namespace, as far as it is equally bad and equally reachable. */
export type Door = {
  /** The one with the lowest port, which gives the finding its id. */
  lead: Listener;
  /** All of them, by port. */
  listeners: readonly Listener[];
  /** All holders, each once. */
  processes: readonly HolderProcess[];
  known: KnownService | null;
  severity: SeverityName;
  /** Sockets of a client rather than of a service. */
  clients: boolean;
  init: InitSystem;
};

/** Gathers listeners by who holds them, so that one program on many ports is one finding and buries no other. */
export const doorsOf = (listeners: readonly Listener[], init: InitSystem): Door[] => {
  const judged = listeners.map((listener) => {
    const known = recognise(listener);
    return { listener, known, severity: severityOf(listener, known), clients: isClients(listener, known) };
  });
  const groups = Map.groupBy(judged, ({ listener, known, severity, clients }) =>
    JSON.stringify([
      listener.protocol === 'raw' || listener.protocol === 'packet' ? listener.protocol : 'ports',
      listener.scope,
      severity,
      clients,
      known?.name ?? null,
      listener.netns.inode ?? listener.netns.name,
      holderKey(listener),
    ]),
  );
  return [...groups.values()].flatMap((group): Door[] => {
    const [first] = group;
    const sorted = group.map(({ listener }) => listener).toSorted(byPort);
    const [lead] = sorted;
    if (first === undefined || lead === undefined) return [];
    const processes = new Map(
      sorted.flatMap((one) => one.processes).map((process) => [process.pid, process]),
    );
    return [{ ...first, lead, listeners: sorted, processes: [...processes.values()], init }];
  });
};

const byPort = (a: Listener, b: Listener): number =>
  (a.port ?? 0) - (b.port ?? 0) ||
  Number(a.protocol === 'udp') - Number(b.protocol === 'udp') ||
  Number(b.address === '::') - Number(a.address === '::') ||
  (a.address < b.address ? -1 : 1);

/** What stays the same when a holder is restarted: program, unit and user; of a forwarder, for whom. */
const holderKey = (one: Listener): unknown => {
  if (one.holder === 'unseen') return ['unseen', one.uid, one.whyUnseen];
  if (one.holder === 'kernel') return ['kernel', one.kernelService];
  if (one.holder === 'systemd') return ['systemd', one.socketUnit ?? [one.protocol, one.address, one.port]];
  const programs = one.processes.map(({ exe, script, unit, user, deleted }) =>
    JSON.stringify([exe, script, unit, user, deleted]),
  );
  const [forWhom] = /^.*(?=:\d+$)|^.*$/.exec(one.forwardsTo ?? '') ?? [];
  return [one.holder, forWhom, [...new Set(programs)].sort()];
};

export const isWildcard = ({ address }: Listener): boolean => address === '::' || address === '0.0.0.0';

/** `tcp 0.0.0.0:80`, `tcp [::]:443`: how an endpoint is written in evidence. */
export const endpointOf = ({ protocol, address, port }: Listener): string =>
  `${protocol} ${address.includes(':') ? `[${address}]` : address}:${port ?? '*'}`;

/** Where a door is, to follow "listens on". */
export const placeOf = (listeners: readonly Listener[]): string => {
  const ports = portsOf(listeners);
  const [[protocol, [port, ...morePorts]] = ['', []], ...moreProtocols] = ports;
  const wild = listeners.every(isWildcard);
  if (morePorts.length === 0 && moreProtocols.length === 0) {
    const [first] = listeners;
    if (wild) return `${everyAddress(listeners)}, port ${port ?? 'unknown'} (${protocol})`;
    if (listeners.length === 1) return `${first?.address ?? ''}, port ${port ?? 'unknown'} (${protocol})`;
  }
  if (!wild) {
    const endpoints = [...new Set(listeners.map(endpointOf))];
    return `${endpoints.length} endpoints: ${atMost(endpoints, 6)}`;
  }
  const named = ports.map(([name, of]) => `${name} ${atMost(of.map(String), 8)}`);
  const count = ports.reduce((sum, [, of]) => sum + of.length, 0);
  return `${count} ports of ${everyAddress(listeners)}: ${named.join('; ')}`;
};

/** The ports of each protocol, ascending, each once. */
export const portsOf = (listeners: readonly Listener[]): [string, number[]][] =>
  [...Map.groupBy(listeners, ({ protocol }) => protocol)].map(([protocol, of]) => [
    protocol,
    [...new Set(of.flatMap(({ port }) => port ?? []))].sort((a, b) => a - b),
  ]);

const everyAddress = (listeners: readonly Listener[]): string => {
  const six = listeners.filter(({ address }) => address === '::');
  if (six.length === 0) return 'every IPv4 address';
  return six.length === listeners.length && six.every(({ v6only }) => v6only === true)
    ? 'every IPv6 address'
    : 'every address';
};

const atMost = (all: readonly string[], limit: number): string =>
  all.length <= limit ? all.join(', ') : `${all.slice(0, limit).join(', ')} and ${all.length - limit} more`;
