import { z } from 'zod';
import { addressSet, union, noAddress, type AddressSet, type Family } from './address-set.ts';
import type { Chain, Hook, Match, Negation, Range, Rule, Ruleset, Verdict } from './ruleset.ts';

/** What `nft --json list ruleset` prints, as far as it is read here (libnftables-json(5)). */
const entry = z.object({
  chain: z
    .object({
      family: z.string(),
      table: z.string(),
      name: z.string(),
      type: z.string().optional(),
      hook: z.string().optional(),
      prio: z.number().optional(),
      policy: z.string().optional(),
      dev: z.union([z.string(), z.array(z.string())]).optional(),
    })
    .optional(),
  rule: z
    .object({
      family: z.string(),
      table: z.string(),
      chain: z.string(),
      handle: z.number(),
      expr: z.array(z.record(z.string(), z.unknown())),
    })
    .optional(),
  set: z
    .object({ family: z.string(), table: z.string(), name: z.string(), elem: z.unknown().optional() })
    .optional(),
  map: z
    .object({ family: z.string(), table: z.string(), name: z.string(), elem: z.unknown().optional() })
    .optional(),
});
const listing = z.object({ nftables: z.array(entry) });

const families = ['ip', 'ip6', 'inet', 'netdev'] as const;
const hooks: readonly Hook[] = ['ingress', 'prerouting', 'input', 'forward'];

/**
 * @param json what `nft --json list ruleset` printed
 * @param texts the rules as people write them, from `ruleTexts`
 * @throws Error where it is no such thing
 */
export const parseNftJson = (json: string, texts: ReadonlyMap<string, string>): Ruleset => {
  const entries = listing.parse(JSON.parse(json)).nftables;
  const named = new Map<string, unknown>();
  for (const { set, map } of entries)
    for (const one of [set, map])
      if (one !== undefined) named.set(`${one.family} ${one.table} @${one.name}`, one.elem ?? []);
  const rules = Map.groupBy(
    entries.flatMap(({ rule }) => rule ?? []),
    ({ family, table, chain }) => `${family} ${table} ${chain}`,
  );
  return entries.flatMap(({ chain }): Chain[] => {
    const family = families.find((one) => one === chain?.family);
    if (chain === undefined || family === undefined) return [];
    const { table, name } = chain;
    const hook = hooks.find((one) => one === chain.hook);
    const device = typeof chain.dev === 'string' ? chain.dev : (chain.dev?.[0] ?? null);
    return [
      {
        family,
        table,
        name,
        rules: (rules.get(`${family} ${table} ${name}`) ?? []).flatMap(({ handle, expr }) =>
          rulesOf(
            expr,
            texts.get(`${family} ${table} ${handle}`) ?? `rule ${handle} of ${family} ${table} ${name}`,
            (reference) => named.get(`${family} ${table} ${reference}`),
          ),
        ),
        base:
          hook === undefined
            ? null
            : {
                hook,
                priority: chain.prio ?? 0,
                policy: chain.policy === 'drop' ? 'drop' : 'accept',
                nat: chain.type === 'nat',
                device,
              },
      },
    ];
  });
};

/**
 * Each rule's own text, by `family table handle`.
 * @param text what `nft --handle list ruleset` printed
 */
export const ruleTexts = (text: string): Map<string, string> => {
  const texts = new Map<string, string>();
  let table = '';
  for (const line of text.split('\n')) {
    const opened = /^table (\S+ \S+) \{/.exec(line)?.[1];
    if (opened !== undefined) table = opened;
    const [, rule, handle] = /^\t\t(.*) # handle (\d+)$/.exec(line) ?? [];
    if (rule !== undefined && handle !== undefined)
      texts.set(`${table} ${handle}`, rule.replace(/counter packets \d+ bytes \d+ ?/, '').trim());
  }
  return texts;
};

type Named = (reference: string) => unknown;

/** One rule, or several where a verdict map decides. */
const rulesOf = (expr: readonly Record<string, unknown>[], text: string, named: Named): Rule[] => {
  const matches: Match[] = [];
  let verdict: Verdict | null = null;
  for (const statement of expr) {
    const [key = '', value] = Object.entries(statement)[0] ?? [];
    if (key === 'match') matches.push(matchOf(value, named));
    else if (key === 'vmap')
      return mapped(value, named).map(([match, then]) => ({
        matches: [...matches, match],
        verdict: then,
        text,
      }));
    else if (key === 'limit' || key === 'quota' || key === 'ct count')
      matches.push({ on: 'unknown', what: key });
    else if (key === 'xt') {
      const { type, name } = z
        .object({ type: z.string(), name: z.string() })
        .catch({ type: 'match', name: '?' })
        .parse(value);
      if (type === 'match') matches.push({ on: 'unknown', what: `the extension ${name}` });
      else if (name !== 'LOG' && name !== 'NFLOG')
        verdict = { do: 'unknown', what: `the extension ${name} decides` };
    } else verdict = verdictOf(key, value) ?? verdict;
  }
  return [{ matches, verdict, text }];
};

const target = z.object({ target: z.string() });
const translation = z.object({ addr: z.string().optional(), port: z.number().optional() });

const verdictOf = (key: string, value: unknown): Verdict | null => {
  if (key === 'accept' || key === 'drop' || key === 'return') return { do: key };
  if (key === 'reject') return { do: 'drop' };
  if (key === 'jump' || key === 'goto') return { do: key, chain: target.parse(value).target };
  if (key === 'queue') return { do: 'unknown', what: 'a program in user space decides' };
  if (key === 'redirect' || key === 'dnat') {
    const to = translation.safeParse(value ?? {}).data;
    if (to === undefined || (key === 'dnat' && to.addr === undefined && to.port === undefined))
      return { do: 'unknown', what: 'where it is sent to is in a map' };
    return { do: 'translate', address: to.addr ?? null, port: to.port ?? null };
  }
  return null;
};

const mapped = (value: unknown, named: Named): [Match, Verdict | null][] => {
  const { key, data } = z.object({ key: z.unknown(), data: z.unknown() }).parse(value);
  const pairs = z
    .array(z.tuple([z.unknown(), z.record(z.string(), z.unknown())]))
    .safeParse(elementsOf(data, named));
  if (!pairs.success)
    return [
      [
        { on: 'unknown', what: 'a verdict map' },
        { do: 'unknown', what: 'it decides' },
      ],
    ];
  return pairs.data.map(([element, verdict]) => {
    const [name = '', of] = Object.entries(verdict)[0] ?? [];
    return [compared(key, '==', element, named), verdictOf(name, of)];
  });
};

const matchOf = (value: unknown, named: Named): Match => {
  const parsed = z.object({ op: z.string(), left: z.unknown(), right: z.unknown() }).safeParse(value);
  if (!parsed.success) return { on: 'unknown', what: 'a match of another form' };
  const { op, left, right } = parsed.data;
  return compared(left, op, right, named);
};

const payload = z.object({ payload: z.object({ protocol: z.string(), field: z.string() }) });
const meta = z.object({ meta: z.object({ key: z.string() }) });
const state = z.object({ ct: z.object({ key: z.literal('state') }) });
const status = z.object({ ct: z.object({ key: z.literal('status') }) });
const fib = z.object({
  fib: z.object({ result: z.string(), flags: z.union([z.string(), z.array(z.string())]) }),
});

const compared = (left: unknown, op: string, right: unknown, named: Named): Match => {
  const unknown = (what: string): Match => ({ on: 'unknown', what });
  if (op !== '==' && op !== '!=' && op !== 'in') {
    if (op !== '<' && op !== '>' && op !== '<=' && op !== '>=') return unknown(`'${op}'`);
  }
  const negated: Negation = op === '!=' ? 'is not' : 'is';
  const elements = elementsOf(right, named);

  const field = payload.safeParse(left).data?.payload;
  if (field !== undefined) {
    if (field.field === 'dport' && ['tcp', 'udp', 'th', 'udplite', 'sctp', 'dccp'].includes(field.protocol)) {
      const ranges = elements.map((element) => portRange(element, op));
      if (ranges.some((range) => range === null)) return unknown('ports of another form');
      return {
        on: 'port',
        protocols: field.protocol === 'th' ? null : [field.protocol],
        ranges: ranges.flatMap((range) => (range === null ? [] : [range])),
        negated,
      };
    }
    if (field.field === 'saddr' || field.field === 'daddr') {
      const family: Family = field.protocol === 'ip6' ? 6 : 4;
      if (field.protocol !== 'ip' && field.protocol !== 'ip6')
        return unknown(`${field.protocol} ${field.field}`);
      const set = addressesOf(elements, family);
      if (set === null || op.startsWith('<') || op.startsWith('>'))
        return unknown('addresses of another form');
      return { on: field.field === 'saddr' ? 'source' : 'destination', family, set, negated };
    }
    if (field.field === 'protocol' || field.field === 'nexthdr')
      return {
        on: 'protocol',
        family: field.protocol === 'ip6' ? 6 : 4,
        names: elements.map(String),
        negated,
      };
    return unknown(`${field.protocol} ${field.field}`);
  }

  const key = meta.safeParse(left).data?.meta.key;
  if (key === 'iifname' || key === 'iif') return { on: 'interface', names: elements.map(String), negated };
  if (key === 'oifname' || key === 'oif') return { on: 'outgoing', names: elements.map(String), negated };
  if (key === 'l4proto') return { on: 'protocol', family: null, names: elements.map(String), negated };
  if (key === 'nfproto' || key === 'protocol') {
    const [first] = elements.map(String);
    if (first === 'ipv4' || first === 'ip') return { on: 'family', family: 4, negated };
    if (first === 'ipv6' || first === 'ip6') return { on: 'family', family: 6, negated };
  }
  // What is meant for a socket is for this host.
  if (key === 'pkttype' && elements.length === 1 && (elements[0] === 'host' || elements[0] === 'unicast'))
    return negated === 'is' ? { on: 'always' } : unknown('meta pkttype');
  if (key !== undefined) return unknown(`meta ${key}`);
  if (state.safeParse(left).success) return { on: 'state', states: elements.map(String), negated };
  const lookup = fib.safeParse(left).data?.fib;
  if (
    lookup !== undefined &&
    lookup.result === 'type' &&
    [lookup.flags].flat().join() === 'daddr' &&
    elements.join() === 'local'
  )
    return { on: 'for this host', negated };
  if (status.safeParse(left).success && elements.join() === 'dnat') return { on: 'translated', negated };
  return unknown('a match of another form');
};

/** The elements of a set, a named one too, or the one value. */
const elementsOf = (right: unknown, named: Named): unknown[] => {
  if (typeof right === 'string' && right.startsWith('@')) return elementsOf(named(right) ?? [], named);
  if (Array.isArray(right)) return right.map(plain);
  const set = z.object({ set: z.array(z.unknown()) }).safeParse(right);
  return set.success ? set.data.set.map(plain) : [plain(right)];
};

/** Without the timeout, counter or comment that an element may have. */
const plain = (element: unknown): unknown => {
  const wrapped = z.object({ elem: z.object({ val: z.unknown() }) }).safeParse(element);
  return wrapped.success ? wrapped.data.elem.val : element;
};

const portRange = (element: unknown, op: string): Range | null => {
  const range = z.object({ range: z.tuple([z.number(), z.number()]) }).safeParse(element);
  if (range.success) return range.data.range;
  if (typeof element !== 'number') return null;
  if (op === '<') return [0, element - 1];
  if (op === '<=') return [0, element];
  if (op === '>') return [element + 1, 65_535];
  if (op === '>=') return [element, 65_535];
  return [element, element];
};

const prefix = z.object({ prefix: z.object({ addr: z.string(), len: z.number() }) });
const addressRange = z.object({ range: z.tuple([z.string(), z.string()]) });

const addressesOf = (elements: readonly unknown[], family: Family): AddressSet | null => {
  let all: AddressSet = noAddress;
  for (const element of elements) {
    const asPrefix = prefix.safeParse(element).data?.prefix;
    const asRange = addressRange.safeParse(element).data?.range;
    const text =
      asPrefix !== undefined
        ? `${asPrefix.addr}/${asPrefix.len}`
        : asRange !== undefined
          ? `${asRange[0]}-${asRange[1]}`
          : String(element);
    const set = addressSet(text);
    if (set === null || set.family !== family) return null;
    all = union(all, set.set);
  }
  return all;
};
