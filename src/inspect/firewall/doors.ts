import type { CouldNotLook } from '#base/looked';
import { thisHost } from '../host.ts';
import { collectServices, type ServicesOptions } from '../services/collect.ts';
import { scopeOf } from '../services/scope.ts';
import type { Listener, Protocol, ServicesReport } from '../services/report.ts';
import { entrancesOf } from './links.ts';
import { collectPlaces, roadOf, type Place } from './place.ts';
import { publishedBy, type Published } from './published.ts';
import { reachableFrom, type Reachable, type Surround } from './reachable.ts';

/** A way in, and who can use it. */
export type Door = Listener & { reachable: Reachable | null };

export type DoorsReport = Omit<ServicesReport, 'listeners'> & { listeners: Door[] };

/**
 * Every door of this host, of sockets and of rules that send packets elsewhere, with who can reach it by the firewall.
 * Reads the host as `collectServices` does, and the rules and interfaces of each namespace (nft, iptables, ip).
 */
export const collectDoors = async (options: ServicesOptions = {}): Promise<DoorsReport> => {
  return judgeDoors(await collectServices(options), options.proc);
};

/** Of what was collected before: who can reach it, by the rules and interfaces of now. */
export const judgeDoors = async (
  report: ServicesReport,
  proc: string = thisHost.proc,
): Promise<DoorsReport> => {
  const { places, couldNotLook } = await collectPlaces(report);
  const gaps: CouldNotLook[] = [...report.couldNotLook, ...couldNotLook];
  const host = places.find(({ netns }) => netns.own);
  if (host === undefined)
    return {
      ...report,
      couldNotLook: gaps,
      listeners: report.listeners.map((one) => ({ ...one, reachable: null })),
    };
  const surround = surroundOf(host, places, proc);
  const listeners = report.listeners.map((one) => ofTunnel(one, places));
  const doors = [
    ...listeners.map((one) => sentOn(one, surround)),
    ...doorsWithoutListener(listeners, surround),
  ];
  return {
    ...report,
    couldNotLook: gaps,
    listeners: doors.map((one) => ({ ...one, reachable: reachableFrom(one, surround) })),
  };
};

const surroundOf = (host: Place, places: readonly Place[], proc: string): Surround => {
  const road = roadOf(host.links ?? [], proc);
  const published =
    host.ruleset === null || host.links === null
      ? []
      : publishedBy(host.ruleset, entrancesOf(host.links), road);
  return { host, places, road, published };
};

/** A tunnel's socket is the kernel's, and only the interface tells which port it takes its packets in at. */
const ofTunnel = (listener: Listener, places: readonly Place[]): Listener => {
  const { protocol, port, processes, netns } = listener;
  if (protocol !== 'udp' || processes.length > 0) return listener;
  const links = places.find((place) => place.netns.inode === netns.inode)?.links ?? [];
  const tunnel = links.find(({ tunnelPort }) => tunnelPort === port && port !== null);
  if (tunnel === undefined) return listener;
  return {
    ...listener,
    holder: 'kernel',
    kernelService: `${tunnel.kind ?? 'tunnel'} (${tunnel.name})`,
    whyUnseen: null,
  };
};

/** What forwards, and does not say where to: a rule may, that takes what comes for its port before it does. */
export const sentOn = (listener: Listener, { published }: Surround): Listener => {
  if (listener.holder !== 'forwarder' || listener.forwardsTo !== null) return listener;
  const to = published.find(
    ({ arrival, ...one }) => !arrival.isHere && listener.netns.own && isSamePort(listener, one),
  );
  return to === undefined ? listener : { ...listener, forwardsTo: placeOf(to.arrival) };
};

/** A socket for what comes in there. */
const isSamePort = (
  { protocol, port, address, v6only }: Listener,
  { entrance, ...published }: Omit<Published, 'arrival'>,
): boolean =>
  protocol === published.protocol &&
  port === published.port &&
  (address === entrance.address ||
    (address === '::' && (entrance.family === 6 || v6only !== true)) ||
    (address === '0.0.0.0' && entrance.family === 4));

const placeOf = ({ address, port }: Published['arrival']): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

/**
 * Ports that a rule sends elsewhere. A socket of the host's own on the same port gets none of that; only what forwards to
 * the same place is the same door.
 */
export const doorsWithoutListener = (
  listeners: readonly Listener[],
  { host, published }: Surround,
): Listener[] => {
  const own = listeners.filter(({ netns }) => netns.own);
  const bare = published.filter(
    ({ arrival, ...its }) =>
      !arrival.isHere && !own.some((one) => one.holder === 'forwarder' && isSamePort(one, its)),
  );
  const ports = Map.groupBy(bare, ({ protocol, port, entrance, arrival }) =>
    [protocol, port, entrance.family, arrival.translatedBy].join(' '),
  );
  return [...ports.values()].flatMap((of) => {
    const [first] = of;
    return first === undefined ? [] : [doorOfRule(first, addressOf(of, host), host)];
  });
};

/** Any address, where the rule is for all that the host has of the family. */
const addressOf = (of: readonly Published[], { links }: Place): string => {
  const family = of[0]?.entrance.family ?? 4;
  const all = entrancesOf(links ?? []).filter((one) => one.family === family);
  const some = new Set(of.map(({ entrance }) => entrance.address));
  const outer = all.filter(({ address }) => !some.has(address));
  // Rules of container managers leave out what comes from the containers' own bridge.
  if (outer.every(({ interface: name }) => links?.some((one) => one.name === name && one.kind === 'bridge')))
    return family === 4 ? '0.0.0.0' : '::';
  return [...some][0] ?? '0.0.0.0';
};

const doorOfRule = ({ protocol, port, arrival }: Published, address: string, { netns }: Place): Listener => ({
  protocol: protocol as Protocol,
  address,
  port,
  v6only: address.includes(':') ? true : null,
  device: null,
  netns,
  holder: 'forwarder',
  processes: [],
  scope: scopeOf(protocol as Protocol, address, 'own'),
  uid: null,
  inodes: [],
  transient: null,
  socketUnit: null,
  activates: null,
  forwardsTo: placeOf(arrival),
  translatedBy: arrival.translatedBy,
  listeningSince: null,
  permissions: null,
  kernelService: null,
  whyUnseen: null,
});
