import type { AddressSet, Family } from './address-set.ts';

/** Where in the kernel's way of a packet a chain is asked; those of bridges and of outgoing packets are left out. */
export type Hook = 'ingress' | 'prerouting' | 'input' | 'forward';

export type Range = readonly [first: number, last: number];

/**
 * What a rule asks of the first packet of somebody who is not known yet. `unknown` is what cannot be told of such a
 * packet, or not by us: a rate, a mark, a time of day, an extension.
 */
export type Match =
  | { on: 'source'; family: Family; set: AddressSet; negated: Negation }
  | { on: 'destination'; family: Family; set: AddressSet; negated: Negation }
  | { on: 'port'; protocols: readonly string[] | null; ranges: readonly Range[]; negated: Negation }
  | { on: 'protocol'; family: Family | null; names: readonly string[]; negated: Negation }
  | { on: 'family'; family: Family; negated: Negation }
  /** `eth*` stands for all names that begin so. */
  | { on: 'interface' | 'outgoing'; names: readonly string[]; negated: Negation }
  /** Whether it was sent elsewhere than it was meant for (conntrack's DNAT). */
  | { on: 'translated'; negated: Negation }
  /** Whether it is meant for an address of this host's. */
  | { on: 'for this host'; negated: Negation }
  | { on: 'state'; states: readonly string[]; negated: Negation }
  | { on: 'always' }
  | { on: 'unknown'; what: string };
export type Negation = 'is' | 'is not';

export type Verdict =
  | { do: 'accept' }
  | { do: 'drop' }
  | { do: 'return' }
  | { do: 'jump' | 'goto'; chain: string }
  /** To another address or port: what is meant for this door goes elsewhere. `null`: the same one; both: this host. */
  | { do: 'translate'; address: string | null; port: number | null }
  /** Somebody else decides: a program in user space, an extension. */
  | { do: 'unknown'; what: string };

export type Rule = { matches: readonly Match[]; verdict: Verdict | null; text: string };

/** A chain's name is unique in its table, and a table's in its family. */
export type Chain = {
  family: 'ip' | 'ip6' | 'inet' | 'netdev';
  table: string;
  name: string;
  rules: readonly Rule[];
  /** Of base chains alone. */
  base: {
    hook: Hook;
    priority: number;
    policy: 'accept' | 'drop';
    nat: boolean;
    device: string | null;
  } | null;
};

export type Ruleset = readonly Chain[];

/** `chain inet filter input`: as people name it. */
export const chainName = ({ family, table, name }: Chain): string => `chain ${family} ${table} ${name}`;
