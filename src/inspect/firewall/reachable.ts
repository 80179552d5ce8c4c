import type { Listener } from '../services/report.ts';
import {
  addressSet,
  difference,
  everyAddress,
  intersection,
  isEmpty,
  networksOf,
  sizeOf,
  union,
  type AddressSet,
  type Family,
} from './address-set.ts';
import { attachmentOf } from './attachment.ts';
import { entrancesOf, type Entrance } from './links.ts';
import type { Place } from './place.ts';
import type { Published } from './published.ts';
import { arrivalsOf, type Arrival, type Road } from './reach.ts';

/** Who can send bytes to a listener, by its address and by the firewall: one word of four, and what decides. */
export type Reachable = {
  from: 'nobody' | 'this host' | 'networks' | 'anyone';
  /** `networks`: which; `anyone`: all but these. */
  networks: readonly string[];
  /** The rule or policy that decides, or the listener's own address. */
  rule: string;
  /** Rules of which it cannot be told whether they apply. Without them at most as many can come as is said. */
  doubts: readonly string[];
};

/** The host as a stranger's packet meets it. */
export type Surround = { host: Place; road: Road; published: readonly Published[]; places: readonly Place[] };

/** How some sources get to a door. */
type Access = { family: Family; sources: AddressSet; rule: string; doubts: readonly string[] };

/** Judges one listener; `null` where the rules or interfaces that decide could not be seen. */
export const reachableFrom = (listener: Listener, surround: Surround): Reachable | null => {
  const { protocol, address, scope, netns } = listener;
  if (scope === 'local' || protocol === 'unix') return onlyHere(`its address, ${address}`);
  if (protocol === 'vsock')
    return {
      from: 'networks',
      networks: ['the hypervisor'],
      rule: 'vsock: no firewall is asked',
      doubts: [],
    };
  if (protocol === 'packet')
    return { from: 'anyone', networks: [], rule: 'it sees frames before any rule is asked', doubts: [] };
  if (netns.own) {
    const { ruleset, links } = surround.host;
    if (ruleset === null || links === null) return null;
    return summary(ofHost(listener, surround, ruleset, entrancesOf(links)), null);
  }
  const place = surround.places.find((one) => one.netns.inode === netns.inode);
  if (place === undefined || place.ruleset === null || place.links === null) return null;
  const ways = ofNamespace(listener, surround, { ...place, ruleset: place.ruleset, links: place.links });
  return ways === null ? null : summary(ways, 'nothing from outside leads there');
};

const onlyHere = (rule: string): Reachable => ({ from: 'this host', networks: [], rule, doubts: [] });

const protocolNames: Readonly<Record<number, string>> = {
  1: 'icmp',
  2: 'igmp',
  6: 'tcp',
  17: 'udp',
  47: 'gre',
  50: 'esp',
  51: 'ah',
  58: 'ipv6-icmp',
  89: 'ospf',
  112: 'vrrp',
};

const packetTo = ({ protocol, port }: Listener, way: Entrance) => ({
  family: way.family,
  protocol: protocol === 'raw' ? (protocolNames[port ?? 255] ?? String(port)) : protocol,
  interface: way.interface,
  destination: way.address,
  port: protocol === 'raw' ? 0 : (port ?? 0),
});

const accessBy = ({ sources, reach }: Arrival, family: Family): Access => ({ family, sources, ...reach });

const ofHost = (
  listener: Listener,
  { road, published }: Surround,
  ruleset: NonNullable<Place['ruleset']>,
  entrances: readonly Entrance[],
): Access[] => {
  const ways = waysTo(listener, entrances);
  const direct = ways.flatMap((way) => {
    const arrivals = arrivalsOf(ruleset, packetTo(listener, way), {
      ...road,
      isHere: (address) => address === way.address || road.isHere(address),
    });
    const mine = arrivals.filter(({ translatedBy, isHere }) =>
      // Whom the rule is not for gets to this host's own port, where nothing listens.
      listener.translatedBy === null
        ? translatedBy === null || (!isHere && listener.holder === 'forwarder')
        : translatedBy === listener.translatedBy,
    );
    if (mine.length > 0) return mine.map((arrival) => accessBy(arrival, way.family));
    const rule = arrivals[0]?.translatedBy ?? 'all of it is sent elsewhere';
    return [{ family: way.family, sources: [], rule, doubts: [] }];
  });
  const redirected = published.filter(
    ({ protocol, arrival }) =>
      arrival.isHere &&
      protocol === listener.protocol &&
      arrival.port === listener.port &&
      ways.some(({ address }) => address === arrival.address),
  );
  return [...direct, ...redirected.map(({ arrival, entrance }) => accessBy(arrival, entrance.family))];
};

type SeenPlace = Place & { ruleset: NonNullable<Place['ruleset']>; links: NonNullable<Place['links']> };

/** Past the host's rules, or straight from outside, and then past the namespace's own. */
const ofNamespace = (listener: Listener, surround: Surround, place: SeenPlace): Access[] | null => {
  const { host, road, published } = surround;
  const all: Access[] = [];
  for (const way of waysTo(listener, entrancesOf(place.links))) {
    const attachment = attachmentOf(place.links, way.interface, host.links);
    if (attachment === 'unknown') return null;
    const inside = arrivalsOf(place.ruleset, packetTo(listener, way), {
      isHere: () => true,
      leavesBy: () => null,
      forwards: () => false,
    }).find(({ translatedBy }) => translatedBy === null);
    if (inside === undefined) continue;
    const here = accessBy(inside, way.family);
    if (attachment === 'outside') {
      all.push(here);
      continue;
    }
    if (host.ruleset === null || host.links === null) return null;
    const before = [
      ...published
        .filter(
          ({ protocol, arrival }) =>
            protocol === listener.protocol &&
            arrival.address === way.address &&
            arrival.port === listener.port,
        )
        .map(({ arrival, entrance, port }) => ({
          ...accessBy(arrival, entrance.family),
          rule: `published on ${entrance.address}:${port}: ${arrival.translatedBy ?? ''}`,
        })),
      ...neighbours(listener, way, host.ruleset, entrancesOf(host.links), road),
    ];
    all.push(...before.map((one) => narrowed(one, here)));
  }
  return all;
};

/** Whoever is on a network with this host can send it packets for addresses that lie behind it. */
const neighbours = (
  listener: Listener,
  way: Entrance,
  ruleset: NonNullable<Place['ruleset']>,
  entrances: readonly Entrance[],
  road: Road,
): Access[] => {
  const behind = road.leavesBy(way.address);
  return entrances
    .filter(({ family, interface: name }) => family === way.family && name !== behind)
    .flatMap((entrance) => {
      const near = addressSet(`${entrance.address}/${entrance.prefix}`)?.set ?? [];
      const packet = { ...packetTo(listener, way), interface: entrance.interface, forOthers: true as const };
      return arrivalsOf(ruleset, packet, { ...road, isHere: () => false })
        .filter(({ translatedBy }) => translatedBy === null)
        .map((arrival) => ({
          ...accessBy(arrival, way.family),
          sources: intersection(arrival.sources, near),
        }));
    });
};

const narrowed = (outer: Access, inner: Access): Access => {
  const sources = intersection(outer.sources, inner.sources);
  const innerDecides = sizeOf(sources) < sizeOf(outer.sources);
  return {
    ...outer,
    sources,
    rule: innerDecides ? inner.rule : outer.rule,
    doubts: [...outer.doubts, ...inner.doubts],
  };
};

/** @param otherwise what decides where none of the ways leads there; `null`: the rule of the first that does not */
const summary = (all: readonly Access[], otherwise: string | null): Reachable | null => {
  const open = all.filter(({ sources }) => !isEmpty(sources));
  const doubts = [...new Set(all.flatMap((one) => one.doubts))];
  if (open.length === 0) {
    const rule = all[0]?.rule ?? otherwise;
    if (rule === null) return null;
    return { from: otherwise === null ? 'nobody' : 'this host', networks: [], rule, doubts };
  }
  const families = [...Map.groupBy(open, ({ family }) => family)].map(([family, of]) => ({
    family,
    sources: of.reduce<AddressSet>((sum, one) => union(sum, one.sources), []),
  }));
  const widest = open.reduce((most, one) => (share(one) > share(most) ? one : most));
  const whole = families.find(({ family }) => family === widest.family);
  if (whole !== undefined && share(whole) > 0.5) {
    const left = difference(everyAddress(whole.family), whole.sources);
    return { from: 'anyone', networks: networksOf(left, whole.family), rule: widest.rule, doubts };
  }
  const networks = families.flatMap(({ family, sources }) => networksOf(sources, family));
  return { from: 'networks', networks, rule: widest.rule, doubts };
};

/** Of all addresses of the family, from 0 to 1. */
const share = ({ family, sources }: Pick<Access, 'family' | 'sources'>): number =>
  Number(sizeOf(sources)) / Number(sizeOf(everyAddress(family)));

/** A wildcard takes what comes to any address; where there is none yet, one that some interface may get. */
const waysTo = ({ address, v6only, protocol, device }: Listener, all: readonly Entrance[]): Entrance[] => {
  const ways = device === null ? all : all.filter((way) => way.interface === device);
  const families: Family[] =
    address === '0.0.0.0'
      ? [4]
      : address === '::'
        ? v6only === true || protocol === 'raw'
          ? [6]
          : [4, 6]
        : [];
  if (families.length === 0) {
    const own = ways.filter((way) => way.address === address);
    const family = address.includes(':') ? 6 : 4;
    return own.length > 0
      ? own
      : [{ interface: 'some interface', address, family, prefix: family === 4 ? 32 : 128 }];
  }
  return families.flatMap((family) => {
    const some = ways.filter((way) => way.family === family);
    return some.length > 0
      ? some
      : [
          {
            interface: device ?? 'some interface',
            address: family === 4 ? '192.0.2.1' : '2001:db8::1',
            family,
            prefix: family === 4 ? 32 : 128,
          },
        ];
  });
};
