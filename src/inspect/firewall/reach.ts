import {
  difference,
  everyAddress,
  intersection,
  isEmpty,
  networksOf,
  noAddress,
  sizeOf,
  union,
  addressNumber,
  type AddressSet,
  type Family,
} from './address-set.ts';
import { chainName, type Chain, type Hook, type Match, type Rule, type Ruleset } from './ruleset.ts';

/** The first packet of a stranger: from any address, to one of this host's. */
export type Packet = {
  family: Family;
  protocol: string;
  /** Where it arrives; never `lo`. */
  interface: string;
  destination: string;
  port: number;
};

/** What the rules do with it, by where it comes from. */
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

/**
 * Follows the packet through every chain that is asked before a socket is. Accept is final within its base chain alone:
 * each base chain of the way must accept. Drop is final. Static reading is a hypothesis: traffic control, XDP and clouds
 * are not in the rules.
 */
export const reachOf = (ruleset: Ruleset, packet: Packet): Reach => {
  const everybody = everyAddress(packet.family);
  const doubted = new Set<string>();
  let sources = everybody;
  let accepting = 'no chain filters what comes in';
  const dropping = new Map<string, bigint>();
  for (const chain of wayOf(ruleset, packet)) {
    const walk = newWalk(ruleset, chain, packet, doubted);
    const rest = walk.through(chain, sources);
    if (chain.base?.policy === 'drop') walk.decide('drop', rest, `policy drop of ${chainName(chain)}`);
    else walk.decide('accept', rest, `policy accept of ${chainName(chain)}`);
    sources = walk.accepted;
    for (const [rule, size] of walk.dropping) dropping.set(rule, (dropping.get(rule) ?? 0n) + size);
    const most = largest(walk.accepting);
    if (
      most !== null &&
      (chain.base?.policy === 'drop' || !most.startsWith('policy accept') || accepting.startsWith('no chain'))
    )
      accepting = most;
  }
  const doubts = [...doubted];
  if (isEmpty(sources)) return { from: 'nobody', networks: [], rule: largest(dropping) ?? accepting, doubts };
  // Whoever leaves out less than half of all addresses means everybody but some.
  if (sizeOf(sources) * 2n > sizeOf(everybody)) {
    const left = networksOf(difference(everybody, sources), packet.family);
    return { from: 'anyone', networks: left, rule: accepting, doubts };
  }
  return { from: 'networks', networks: networksOf(sources, packet.family), rule: accepting, doubts };
};

/** Whether some rule may send the packet elsewhere, past the chains that ask for what is meant for this host. */
export const mayGoElsewhere = (ruleset: Ruleset, packet: Packet): boolean => {
  const translates = (chain: Chain, depth: number): boolean =>
    chain.rules.some((rule) => {
      const { verdict } = rule;
      if (verdict === null || isEmpty(matching(rule, everyAddress(packet.family), packet).sources))
        return false;
      if (verdict.do === 'translate' || verdict.do === 'unknown') return true;
      if ((verdict.do !== 'jump' && verdict.do !== 'goto') || depth > deepest) return false;
      const target = ruleset.find(
        ({ family, table, name }) =>
          family === chain.family && table === chain.table && name === verdict.chain,
      );
      return target !== undefined && translates(target, depth + 1);
    });
  return ruleset.some(
    (chain) =>
      chain.base?.hook === 'prerouting' &&
      chain.base.nat &&
      (chain.family === 'inet' || chain.family === (packet.family === 4 ? 'ip' : 'ip6')) &&
      translates(chain, 0),
  );
};

const hooks: readonly Hook[] = ['ingress', 'prerouting', 'input'];

/** Base chains in the order in which the kernel asks them. Translation decides nothing about who may come. */
const wayOf = (ruleset: Ruleset, packet: Packet): Chain[] =>
  hooks.flatMap((hook) =>
    ruleset
      .filter(
        ({ base, family }) =>
          base?.hook === hook &&
          !base.nat &&
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

/** Deeper than the kernel lets chains jump. */
const deepest = 16;

const newWalk = (ruleset: Ruleset, base: Chain, packet: Packet, doubts: Set<string>) => {
  const accepting = new Map<string, bigint>();
  const dropping = new Map<string, bigint>();
  const walk = {
    accepted: noAddress,
    accepting,
    dropping,
    decide(verdict: 'accept' | 'drop', sources: AddressSet, by: string): void {
      if (isEmpty(sources)) return;
      const weights = verdict === 'accept' ? accepting : dropping;
      weights.set(by, (weights.get(by) ?? 0n) + sizeOf(sources));
      if (verdict === 'accept') walk.accepted = union(walk.accepted, sources);
    },
    /** @returns from where it comes out at the end, undecided */
    through(chain: Chain, entering: AddressSet, depth = 0): AddressSet {
      let here = entering;
      let leaving = noAddress;
      for (const rule of chain.rules) {
        if (isEmpty(here)) break;
        const { sources, doubt } = matching(rule, here, packet);
        const { verdict } = rule;
        if (isEmpty(sources) || verdict === null) continue;
        if (verdict.do === 'translate') continue;
        // What cannot be told lets in, and keeps nobody out: the answer is who can come at most.
        const certain = doubt === null && verdict.do !== 'unknown';
        if (doubt !== null && verdict.do !== 'return') doubts.add(`${rule.text} (${doubt})`);
        const done = certain ? sources : noAddress;
        if (verdict.do === 'unknown') {
          doubts.add(`${rule.text} (${verdict.what})`);
          walk.decide('accept', sources, rule.text);
        } else if (verdict.do === 'accept' || verdict.do === 'drop') {
          if (certain || verdict.do === 'accept') walk.decide(verdict.do, sources, rule.text);
          here = difference(here, done);
        } else if (verdict.do === 'return') {
          leaving = union(leaving, sources);
          here = difference(here, done);
        } else {
          const target = ruleset.find(
            ({ family, table, name }) =>
              family === base.family && table === base.table && name === verdict.chain,
          );
          if (target === undefined || depth > deepest) {
            doubts.add(`${rule.text} (there is no such chain)`);
            continue;
          }
          const rest = walk.through(target, sources, depth + 1);
          here = difference(here, done);
          if (verdict.do === 'jump') here = union(here, rest);
          else leaving = union(leaving, rest);
        }
      }
      return union(here, leaving);
    },
  };
  return walk;
};

/** Of `sources`, those that the rule is for; `doubt` says what cannot be told. */
const matching = (
  rule: Rule,
  sources: AddressSet,
  packet: Packet,
): { sources: AddressSet; doubt: string | null } => {
  let matched = sources;
  let doubt: string | null = null;
  for (const match of rule.matches) {
    if (match.on === 'source') {
      if (match.family !== packet.family) return { sources: noAddress, doubt: null };
      matched = match.negated === 'is' ? intersection(matched, match.set) : difference(matched, match.set);
      continue;
    }
    const holds = holdsFor(match, packet);
    if (holds === null) doubt = match.on === 'unknown' ? match.what : match.on;
    else if (!holds) return { sources: noAddress, doubt: null };
  }
  return { sources: matched, doubt };
};

const holdsFor = (match: Exclude<Match, { on: 'source' }>, packet: Packet): boolean | null => {
  if (match.on === 'always') return true;
  if (match.on === 'unknown') return null;
  // A rule asks nothing of packets that have no such field, not even whether it is another one.
  if (!hasField(match, packet)) return false;
  const holds = plainly(match, packet);
  return match.negated === 'is' ? holds : !holds;
};

const hasField = (match: Plain, packet: Packet): boolean => {
  if (match.on === 'destination') return match.family === packet.family;
  if (match.on === 'port') return match.protocols === null || match.protocols.includes(packet.protocol);
  return match.on !== 'protocol' || match.family === null || match.family === packet.family;
};

type Plain = Exclude<Match, { on: 'source' | 'always' | 'unknown' }>;

const plainly = (match: Plain, packet: Packet): boolean => {
  if (match.on === 'destination') {
    const to = addressNumber(packet.destination);
    return to !== null && !isEmpty(intersection([[to.value, to.value]], match.set));
  }
  if (match.on === 'port')
    return match.ranges.some(([first, last]) => packet.port >= first && packet.port <= last);
  if (match.on === 'protocol') return match.names.includes(packet.protocol);
  if (match.on === 'family') return match.family === packet.family;
  if (match.on === 'interface')
    return match.names.some((name) =>
      name.endsWith('*') ? packet.interface.startsWith(name.slice(0, -1)) : name === packet.interface,
    );
  // The first packet of a stranger belongs to nothing that is known.
  return match.states.includes('new');
};
