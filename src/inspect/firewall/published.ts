import { arrivalsOf, type Arrival, type Packet, type Road } from './reach.ts';
import type { Entrance } from './links.ts';
import type { Chain, Match, Rule, Ruleset } from './ruleset.ts';

/** A port of this host whose packets a rule sends elsewhere, for one of the host's addresses. */
export type Published = { protocol: string; port: number; entrance: Entrance; arrival: Arrival };

/** Of a range of ports so many are followed. */
const mostPorts = 64;
const transports = ['tcp', 'udp', 'sctp', 'udplite'] as const;

/** Every port that some rule sends elsewhere, followed from each address of the host that it may be meant for. */
export const publishedBy = (ruleset: Ruleset, entrances: readonly Entrance[], road: Road): Published[] => {
  const asked = new Set(translating(ruleset).flatMap((rule) => portsOf(rule).map((one) => one.join(' '))));
  return [...asked].flatMap((text) => {
    const [protocol = '', port] = text.split(' ');
    return entrances.flatMap((entrance) => {
      const packet: Packet = {
        family: entrance.family,
        protocol,
        interface: entrance.interface,
        destination: entrance.address,
        port: Number(port),
      };
      return arrivalsOf(ruleset, packet, road)
        .filter(({ translatedBy }) => translatedBy !== null)
        .map((arrival) => ({ protocol, port: packet.port, entrance, arrival }));
    });
  });
};

/** Rules that translate, each with what led to it. */
const translating = (ruleset: Ruleset): Rule[] => {
  const within = (chain: Chain, before: readonly Match[], depth: number): Rule[] =>
    chain.rules.flatMap((rule) => {
      const { verdict } = rule;
      const matches = [...before, ...rule.matches];
      if (verdict?.do === 'translate') return [{ ...rule, matches }];
      if ((verdict?.do !== 'jump' && verdict?.do !== 'goto') || depth > 16) return [];
      const target = ruleset.find(
        ({ family, table, name }) =>
          family === chain.family && table === chain.table && name === verdict.chain,
      );
      return target === undefined ? [] : within(target, matches, depth + 1);
    });
  return ruleset
    .filter(({ base }) => base?.hook === 'prerouting' && base.nat)
    .flatMap((chain) => within(chain, [], 0));
};

/** Protocol and port of what the rule is for; nothing where it names no port. */
const portsOf = ({ matches }: Rule): [string, number][] => {
  const named = matches.flatMap((match) =>
    match.on === 'protocol' && match.negated === 'is' ? [match.names] : [],
  );
  const protocols = transports.filter((one) => named.every((names) => names.includes(one)));
  return matches.flatMap((match) => {
    if (match.on !== 'port' || match.negated !== 'is') return [];
    const ports = match.ranges.flatMap(([first, last]) =>
      Array.from({ length: Math.min(last - first + 1, mostPorts) }, (_, i) => first + i),
    );
    return protocols
      .filter((one) => match.protocols === null || match.protocols.includes(one))
      .flatMap((one) => ports.map((port): [string, number] => [one, port]));
  });
};
