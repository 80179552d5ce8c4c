import { addressSet, type Family } from './address-set.ts';
import type { Chain, Hook, Match, Negation, Range, Rule, Ruleset, Verdict } from './ruleset.ts';

const hooks: Readonly<Record<string, Hook>> = {
  PREROUTING: 'prerouting',
  INPUT: 'input',
  FORWARD: 'forward',
};
/** NF_IP_PRI_* of linux/netfilter_ipv4.h: which table is asked first. */
const priorities: Readonly<Record<string, number>> = {
  raw: -300,
  mangle: -150,
  nat: -100,
  filter: 0,
  security: 50,
};

/**
 * What iptables-save(8) prints, as chains of the family: each table's own priority, rules as they stand there.
 * @param kind which of the two that may be loaded side by side: `iptables`, `iptables-legacy`
 */
export const parseIptablesSave = (text: string, family: Family, kind: string): Ruleset => {
  const chains: (Chain & { rules: Rule[] })[] = [];
  let table = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1).trim();
    const [, declared, policy] = /^:(\S+) (\S+)/.exec(line) ?? [];
    if (declared !== undefined) {
      const hook = policy === '-' ? undefined : hooks[declared];
      chains.push({
        family: family === 4 ? 'ip' : 'ip6',
        table: `${kind} ${table}`,
        name: declared,
        rules: [],
        base:
          hook === undefined
            ? null
            : {
                hook,
                priority: priorities[table] ?? 0,
                policy: policy === 'DROP' ? 'drop' : 'accept',
                nat: table === 'nat',
                device: null,
              },
      });
    }
    const [, name, rest] = /^(?:\[\d+:\d+\] )?-A (\S+) ?(.*)$/.exec(line) ?? [];
    const chain = chains.find((one) => one.name === name && one.table === `${kind} ${table}`);
    if (chain !== undefined)
      chain.rules.push(ruleOf(wordsOf(rest ?? ''), line.replace(/^\[.*?\] /, ''), family));
  }
  return chains;
};

/** As a shell would take it apart: comments are quoted. */
const wordsOf = (text: string): string[] =>
  [...text.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

const ends: Readonly<Record<string, Verdict>> = {
  ACCEPT: { do: 'accept' },
  DROP: { do: 'drop' },
  REJECT: { do: 'drop' },
  RETURN: { do: 'return' },
};
/** Targets after which a packet goes on to the next rule. */
const passing = new Set([
  'LOG',
  'NFLOG',
  'ULOG',
  'MARK',
  'CONNMARK',
  'CT',
  'NOTRACK',
  'TCPMSS',
  'TTL',
  'HL',
  'DSCP',
  'TOS',
  'CHECKSUM',
  'SET',
  'AUDIT',
  'TRACE',
  'SECMARK',
  'CONNSECMARK',
  'MASQUERADE',
  'SNAT',
  'TEE',
  'CLASSIFY',
]);
const foreign = new Set(['NFQUEUE', 'QUEUE', 'TPROXY', 'SYNPROXY', 'HMARK', 'NETMAP', 'IDLETIMER']);

const ruleOf = (words: readonly string[], text: string, family: Family): Rule => {
  const matches: Match[] = [];
  let verdict: Verdict | null = null;
  let protocol: string | null = null;
  let negated: Negation = 'is';
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i] ?? '';
    const value = words[i + 1] ?? '';
    if (word === '!') {
      negated = 'is not';
      continue;
    }
    let taken = true;
    if (word === '-s' || word === '-d') matches.push(addressMatch(word, value, family, negated));
    else if (word === '-p') {
      protocol = value;
      if (value !== 'all')
        matches.push({
          on: 'protocol',
          family: null,
          names: [value === 'icmpv6' ? 'ipv6-icmp' : value],
          negated,
        });
    } else if (word === '-i') matches.push({ on: 'interface', names: [value.replace(/\+$/, '*')], negated });
    else if (word === '--dport' || word === '--dports' || word === '--destination-port')
      matches.push({
        on: 'port',
        protocols: protocol === null ? null : [protocol],
        ranges: rangesOf(value),
        negated,
      });
    else if (word === '--ctstate' && value === 'DNAT') matches.push({ on: 'translated', negated });
    else if (word === '--ctstate' || word === '--state')
      matches.push({ on: 'state', states: value.toLowerCase().split(','), negated });
    else if (word === '--src-range' || word === '--dst-range')
      matches.push(addressMatch(word === '--src-range' ? '-s' : '-d', value, family, negated));
    // Of the first packet of a connection this holds.
    else if (word === '--syn') taken = false;
    else if (word === '--tcp-flags') {
      const asked = value.split(',').includes('SYN') && (words[i + 2] ?? '') === 'SYN';
      matches.push(asked && negated === 'is' ? { on: 'always' } : { on: 'unknown', what: '--tcp-flags' });
      i += 1;
    } else if (word === '--dst-type' && value === 'LOCAL' && negated === 'is') matches.push({ on: 'always' });
    else if (word === '-m') {
      if (!known.has(value)) matches.push({ on: 'unknown', what: `the extension ${value}` });
    } else if (
      word === '--comment' ||
      word === '--reject-with' ||
      word === '--log-prefix' ||
      word === '--log-level'
    ) {
      // says nothing about who comes
    } else if (word === '-j' || word === '-g') verdict = verdictOf(word, value);
    else if (word === '--to-destination' || word === '--to-ports') verdict = translated(word, value);
    else {
      taken = false;
      if (word === '-f' || (word.startsWith('--') && verdict === null))
        matches.push({ on: 'unknown', what: word });
    }
    if (taken) i += 1;
    negated = 'is';
  }
  return { matches, verdict, text };
};

/** Extensions whose options are read above. */
const known = new Set([
  'tcp',
  'udp',
  'udplite',
  'sctp',
  'multiport',
  'conntrack',
  'state',
  'comment',
  'iprange',
  'addrtype',
]);

const addressMatch = (word: '-s' | '-d', value: string, family: Family, negated: Negation): Match => {
  const set = addressSet(value);
  if (set === null || set.family !== family) return { on: 'unknown', what: `${word} ${value}` };
  return { on: word === '-s' ? 'source' : 'destination', family, set: set.set, negated };
};

const rangesOf = (value: string): Range[] =>
  value.split(',').map((part): Range => {
    const [first = '0', last = first] = part.split(':');
    return [Number(first === '' ? 0 : first), Number(last === '' ? 65_535 : last)];
  });

const verdictOf = (word: '-j' | '-g', target: string): Verdict | null => {
  const end = ends[target];
  if (end !== undefined) return end;
  if (passing.has(target)) return null;
  if (target === 'DNAT' || target === 'REDIRECT') return { do: 'translate', address: null, port: null };
  if (foreign.has(target)) return { do: 'unknown', what: `${target} decides` };
  return { do: word === '-j' ? 'jump' : 'goto', chain: target };
};

const translated = (word: string, value: string): Verdict => {
  if (word === '--to-ports') return { do: 'translate', address: null, port: Number(value.split('-')[0]) };
  // `192.0.2.1-192.0.2.9:80-90` and `[2001:db8::1]:80`: of several, the first.
  const [, six, four, port] =
    /^(?:\[([^\]-]+)[^\]]*\]|([\d.]*)(?:-[\d.]+)?)(?::(\d+)(?:-\d+)?)?$/.exec(value) ?? [];
  const address = six ?? four ?? value.split('-')[0] ?? '';
  return {
    do: 'translate',
    address: address === '' ? null : address,
    port: port === undefined ? null : Number(port),
  };
};
