import {
  addressNumber,
  difference,
  intersection,
  isEmpty,
  noAddress,
  sizeOf,
  union,
  type AddressSet,
  type Family,
} from './address-set.ts';
import type { Chain, Match, Rule, Ruleset, Verdict } from './ruleset.ts';

/** The first packet of a stranger, from any address. */
export type Packet = {
  family: Family;
  protocol: string;
  /** Where it arrives; never `lo`. */
  interface: string;
  destination: string;
  port: number;
  /** Where it leaves, once it is known to be meant for somebody else. */
  outgoing?: string | null;
  /** A rule has sent it elsewhere than it was meant for. */
  translated?: true;
  /** It is meant for an address that this host does not have. */
  forOthers?: true;
};

/** What a rule of network address translation takes for itself. */
export type Translation = {
  sources: AddressSet;
  to: Extract<Verdict, { do: 'translate' }>;
  rule: string;
};

/** Deeper than the kernel lets chains jump. */
const deepest = 16;

/** One base chain's way: what it accepts, drops and translates, by source. */
export const newWalk = (ruleset: Ruleset, base: Chain, packet: Packet, doubts: Set<string>) => {
  const accepting = new Map<string, bigint>();
  const dropping = new Map<string, bigint>();
  const translations: Translation[] = [];
  const walk = {
    accepted: noAddress,
    accepting,
    dropping,
    translations,
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
        // What cannot be told lets in, and keeps nobody out: the answer is who can come at most.
        const certain = doubt === null && verdict.do !== 'unknown';
        if (doubt !== null && verdict.do !== 'return') doubts.add(`${rule.text} (${doubt})`);
        const done = certain ? sources : noAddress;
        if (verdict.do === 'translate') {
          translations.push({ sources, to: verdict, rule: rule.text });
          here = difference(here, done);
        } else if (verdict.do === 'unknown') {
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
  // Nothing leads there as far as can be seen.
  if (match.on === 'outgoing' && packet.outgoing === null) return null;
  // A rule asks nothing of packets that have no such field, not even whether it is another one.
  if (!hasField(match, packet)) return false;
  const holds = plainly(match, packet);
  return match.negated === 'is' ? holds : !holds;
};

const hasField = (match: Plain, packet: Packet): boolean => {
  if (match.on === 'destination') return match.family === packet.family;
  if (match.on === 'port') return match.protocols === null || match.protocols.includes(packet.protocol);
  if (match.on === 'outgoing') return packet.outgoing !== undefined;
  return match.on !== 'protocol' || match.family === null || match.family === packet.family;
};

type Plain = Exclude<Match, { on: 'source' | 'always' | 'unknown' }>;

const plainly = (match: Plain, packet: Packet): boolean => {
  switch (match.on) {
    case 'destination': {
      const to = addressNumber(packet.destination);
      return to !== null && !isEmpty(intersection([[to.value, to.value]], match.set));
    }
    case 'port':
      return match.ranges.some(([first, last]) => packet.port >= first && packet.port <= last);
    case 'protocol':
      return match.names.includes(packet.protocol);
    case 'family':
      return match.family === packet.family;
    case 'interface':
      return isNamed(match.names, packet.interface);
    case 'outgoing':
      return isNamed(match.names, packet.outgoing ?? '');
    case 'translated':
      return packet.translated === true;
    case 'for this host':
      return packet.forOthers !== true;
    case 'state':
      // The first packet of a stranger belongs to nothing that is known.
      return match.states.includes('new');
  }
};

const isNamed = (names: readonly string[], one: string): boolean =>
  names.some((name) => (name.endsWith('*') ? one.startsWith(name.slice(0, -1)) : name === one));
