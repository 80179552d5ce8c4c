import {
  difference,
  everyAddress,
  isEmpty,
  networksOf,
  sizeOf,
  type AddressSet,
  type Family,
} from './address-set.ts';
import { chainName, type Chain, type Hook, type Ruleset } from './ruleset.ts';
import { newWalk, type Packet } from './walk.ts';

export type { Packet } from './walk.ts';

/** What the rules do with a packet, by where it comes from. */
export type Reach = {
  /** `anyone` may be all but some networks. */
  from: 'nobody' | 'networks' | 'anyone';
  /** `networks`: which. `anyone`: which not. */
  networks: readonly string[];
  /** What decides: the rule, policy or absence of rules that most of it comes down to. */
  rule: string;
  /** Rules of which it cannot be told whether they apply. Where there are any, nobody beyond what is said can come. */
  doubts: readonly string[];
};

/** Where this host's packets go. */
export type Road = {
  /** Whether the address is one of its own. */
  isHere(address: string): boolean;
  /** The interface by which it reaches the address; `null` where that cannot be told. */
  leavesBy(address: string): string | null;
  /** Whether it passes on what is meant for others (ip_forward). */
  forwards(family: Family): boolean;
};

/** Where packets that were meant for one address and port end up, and from whom they get there. */
export type Arrival = {
  address: string;
  port: number;
  isHere: boolean;
  /** The rule that sent it elsewhere than it was meant for. */
  translatedBy: string | null;
  sources: AddressSet;
  reach: Reach;
};

/** A packet on its way, from those who have got so far. */
type Parcel = {
  packet: Packet;
  translatedBy: string | null;
  sources: AddressSet;
  accepting: string;
  dropping: ReadonlyMap<string, bigint>;
};

/**
 * Follows the packet through every chain that is asked before a socket is, or before it is passed on. Accept is final
 * within its base chain alone: each base chain of the way must accept. Drop is final. Static reading is a hypothesis:
 * traffic control, XDP and clouds are not in the rules.
 */
export const arrivalsOf = (ruleset: Ruleset, packet: Packet, road: Road): Arrival[] => {
  const doubts = new Set<string>();
  let parcels: Parcel[] = [
    {
      packet,
      translatedBy: null,
      sources: everyAddress(packet.family),
      accepting: 'no chain filters what comes in',
      dropping: new Map(),
    },
  ];
  for (const chain of wayOf(ruleset, packet, ['ingress', 'prerouting']))
    parcels = parcels.flatMap((parcel) =>
      chain.base?.nat === true
        ? translated(ruleset, chain, parcel, doubts)
        : [filtered(ruleset, chain, parcel, doubts)],
    );
  return parcels.map((arrived) => {
    const { destination, port, family } = arrived.packet;
    const isHere = road.isHere(destination);
    let parcel = isHere
      ? arrived
      : { ...arrived, packet: { ...arrived.packet, outgoing: road.leavesBy(destination) } };
    if (!isHere && !road.forwards(family))
      parcel = {
        ...parcel,
        sources: [],
        dropping: new Map([['this host passes nothing on (ip_forward is 0)', sizeOf(parcel.sources)]]),
      };
    for (const chain of wayOf(ruleset, parcel.packet, [isHere ? 'input' : 'forward']))
      if (chain.base?.nat !== true) parcel = filtered(ruleset, chain, parcel, doubts);
    const { translatedBy, sources } = parcel;
    return { address: destination, port, isHere, translatedBy, sources, reach: reachBy(parcel, [...doubts]) };
  });
};

const everythingHere: Road = { isHere: () => true, leavesBy: () => null, forwards: () => false };

/** The same for a packet that is meant for this host and stays here: what goes elsewhere does not get to its socket. */
export const reachOf = (ruleset: Ruleset, packet: Packet): Reach => {
  const direct = arrivalsOf(ruleset, packet, everythingHere).find(
    ({ translatedBy }) => translatedBy === null,
  );
  return direct?.reach ?? { from: 'nobody', networks: [], rule: 'all of it is sent elsewhere', doubts: [] };
};

const reachBy = ({ sources, packet, accepting, dropping }: Parcel, doubts: readonly string[]): Reach => {
  const everybody = everyAddress(packet.family);
  if (isEmpty(sources)) return { from: 'nobody', networks: [], rule: largest(dropping) ?? accepting, doubts };
  // Whoever leaves out less than half of all addresses means everybody but some.
  if (sizeOf(sources) * 2n > sizeOf(everybody)) {
    const left = networksOf(difference(everybody, sources), packet.family);
    return { from: 'anyone', networks: left, rule: accepting, doubts };
  }
  return { from: 'networks', networks: networksOf(sources, packet.family), rule: accepting, doubts };
};

const filtered = (ruleset: Ruleset, chain: Chain, parcel: Parcel, doubts: Set<string>): Parcel => {
  const walk = newWalk(ruleset, chain, parcel.packet, doubts);
  const rest = walk.through(chain, parcel.sources);
  if (chain.base?.policy === 'drop') walk.decide('drop', rest, `policy drop of ${chainName(chain)}`);
  else walk.decide('accept', rest, `policy accept of ${chainName(chain)}`);
  const dropping = new Map(parcel.dropping);
  for (const [rule, size] of walk.dropping) dropping.set(rule, (dropping.get(rule) ?? 0n) + size);
  const most = largest(walk.accepting);
  const says =
    most !== null &&
    (chain.base?.policy === 'drop' ||
      !most.startsWith('policy accept') ||
      parcel.accepting.startsWith('no chain'));
  return { ...parcel, sources: walk.accepted, dropping, accepting: says ? most : parcel.accepting };
};

/** Those whose packets a rule sends elsewhere, and the others. What was sent elsewhere once is not again. */
const translated = (ruleset: Ruleset, chain: Chain, parcel: Parcel, doubts: Set<string>): Parcel[] => {
  if (parcel.translatedBy !== null) return [parcel];
  const walk = newWalk(ruleset, chain, parcel.packet, doubts);
  walk.decide('accept', walk.through(chain, parcel.sources), 'nothing translates it');
  const { packet } = parcel;
  const elsewhere = walk.translations.map(({ sources, to, rule }): Parcel => ({
    ...parcel,
    sources,
    translatedBy: rule,
    packet: {
      ...packet,
      destination: to.address ?? packet.destination,
      port: to.port ?? packet.port,
      translated: true,
    },
  }));
  return isEmpty(walk.accepted) ? elsewhere : [{ ...parcel, sources: walk.accepted }, ...elsewhere];
};

/** Base chains in the order in which the kernel asks them. */
const wayOf = (ruleset: Ruleset, packet: Packet, hooks: readonly Hook[]): Chain[] =>
  hooks.flatMap((hook) =>
    ruleset
      .filter(
        ({ base, family }) =>
          base?.hook === hook &&
          (family === 'inet' || family === 'netdev' || family === (packet.family === 4 ? 'ip' : 'ip6')) &&
          (base.device === null || base.device === packet.interface),
      )
      .toSorted((a, b) => (a.base?.priority ?? 0) - (b.base?.priority ?? 0)),
  );

const largest = (weights: ReadonlyMap<string, bigint>): string | null =>
  [...weights].reduce<[string, bigint] | null>(
    (most, one) => (most === null || one[1] > most[1] ? one : most),
    null,
  )?.[0] ?? null;
