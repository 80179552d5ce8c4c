import type { Listener } from '../services/report.ts';
import type { Family } from './address-set.ts';
import type { Entrance } from './interfaces.ts';
import { mayGoElsewhere, reachOf, type Packet, type Reach } from './reach.ts';
import type { Ruleset } from './ruleset.ts';

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

/**
 * Judges one listener of the host's own network namespace; `null` where the question has no meaning or no answer here: of
 * packet sockets, which see what comes before any rule, of other namespaces, of what is passed on (a forwarder's, or a
 * port that a rule translates), and where the rules could not be seen.
 * @param ruleset `null`: it could not be seen
 */
export const reachableFrom = (
  listener: Listener,
  ruleset: Ruleset | null,
  ways: readonly Entrance[],
): Reachable | null => {
  const { protocol, port, scope, address } = listener;
  if (scope === 'local')
    return { from: 'this host', networks: [], rule: `its address, ${address}`, doubts: [] };
  if (ruleset === null || !listener.netns.own || port === null || protocol === 'raw' || protocol === 'packet')
    return null;
  const packets = entrancesOf(listener, ways).map((way): Packet => ({
    family: way.family,
    protocol,
    interface: way.interface,
    destination: way.address,
    port,
  }));
  if (listener.holder === 'forwarder' || packets.some((packet) => mayGoElsewhere(ruleset, packet)))
    return null;
  const all = packets.map((packet) => reachOf(ruleset, packet));
  const widest = all.reduce<Reach | null>(
    (most, one) => (most === null || wider(one, most) ? one : most),
    null,
  );
  if (widest === null) return null;
  const doubts = [...new Set(all.flatMap((one) => one.doubts))];
  if (widest.from !== 'networks') return { ...widest, doubts };
  const networks = [...new Set(all.flatMap((one) => (one.from === 'networks' ? one.networks : [])))];
  return { ...widest, networks, doubts };
};

const order: readonly Reach['from'][] = ['nobody', 'networks', 'anyone'];

const wider = (a: Reach, b: Reach): boolean =>
  a.from === b.from ? a.networks.length < b.networks.length : order.indexOf(a.from) > order.indexOf(b.from);

/** A wildcard takes what comes to any address; where there is none yet, one that some interface may get. */
const entrancesOf = ({ address, v6only }: Listener, ways: readonly Entrance[]): Entrance[] => {
  const families: Family[] =
    address === '0.0.0.0' ? [4] : address === '::' ? (v6only === true ? [6] : [4, 6]) : [];
  if (families.length === 0) {
    const own = ways.filter((way) => way.address === address);
    return own.length > 0
      ? own
      : [{ interface: 'some interface', address, family: address.includes(':') ? 6 : 4 }];
  }
  return families.flatMap((family) => {
    const some = ways.filter((way) => way.family === family);
    return some.length > 0
      ? some
      : [{ interface: 'some interface', address: family === 4 ? '192.0.2.1' : '2001:db8::1', family }];
  });
};
