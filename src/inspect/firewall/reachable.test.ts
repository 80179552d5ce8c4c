import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Listener } from '../services/report.ts';
import { addressSet } from './address-set.ts';
import { parseIptablesSave } from './iptables-save.ts';
import { publishedBy } from './published.ts';
import { reachableFrom as judgedIn } from './reachable.ts';
import { entrancesOf, type Link } from './links.ts';
import type { Road } from './reach.ts';
import type { Match, Ruleset } from './ruleset.ts';

const listener = (changes: Partial<Listener>): Listener => ({
  protocol: 'tcp',
  address: '::',
  port: 3306,
  v6only: false,
  device: null,
  netns: { inode: 1, name: null, own: true, container: null },
  holder: 'process',
  processes: [],
  scope: 'public',
  uid: 0,
  inodes: [7],
  transient: null,
  socketUnit: null,
  activates: null,
  forwardsTo: null,
  translatedBy: null,
  listeningSince: null,
  permissions: null,
  kernelService: null,
  whyUnseen: null,
  ...changes,
});

/** As Debian's iptables-save prints it; nothing is said of IPv6. */
const onlyFour = parseIptablesSave(
  '*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n-A INPUT -s 192.0.2.0/24 -i eth0 -p tcp -m tcp --dport 3306 -j ACCEPT\nCOMMIT\n',
  4,
  'iptables',
);
const link = (name: string, ...addresses: Link['addresses']): Link => ({
  name,
  index: 1,
  kind: null,
  loopback: false,
  master: null,
  peer: null,
  addresses,
  tunnelPort: null,
});
const ways = [
  link(
    'eth0',
    { address: '198.51.100.2', family: 4, prefix: 24 },
    { address: '2001:db8::2', family: 6, prefix: 64 },
  ),
  link('eth1', { address: '203.0.113.2', family: 4, prefix: 24 }),
];
const road: Road = {
  isHere: (address) => ways.some(({ addresses }) => addresses.some((one) => one.address === address)),
  leavesBy: () => 'docker0',
  forwards: () => true,
};
const reachableFrom = (one: Listener, ruleset: Ruleset | null, links: readonly Link[]) => {
  const netns = { inode: 1, name: null, own: true, container: null };
  const published = ruleset === null ? [] : publishedBy(ruleset, entrancesOf(links), road);
  return judgedIn(one, { host: { netns, ruleset, links }, places: [], published, road });
};

test('a door is as open as its widest way in: what IPv4 forgets, IPv6 lets in', () => {
  assert.deepEqual(reachableFrom(listener({ address: '0.0.0.0', v6only: null }), onlyFour, ways), {
    from: 'networks',
    networks: ['192.0.2.0/24'],
    rule: '-A INPUT -s 192.0.2.0/24 -i eth0 -p tcp -m tcp --dport 3306 -j ACCEPT',
    doubts: [],
  });
  assert.equal(reachableFrom(listener({}), onlyFour, ways)?.from, 'anyone');
  assert.equal(reachableFrom(listener({ address: '203.0.113.2' }), onlyFour, ways)?.from, 'nobody');
});

test('what is local is local whatever the rules; what cannot be judged is not called shut', () => {
  assert.equal(
    reachableFrom(listener({ address: '127.0.0.1', scope: 'local' }), null, ways)?.from,
    'this host',
  );
  assert.equal(reachableFrom(listener({}), null, ways), null);
  assert.equal(reachableFrom(listener({ protocol: 'packet', port: 3 }), onlyFour, ways)?.from, 'anyone');
  assert.equal(
    reachableFrom(
      listener({ netns: { inode: 2, name: 'blue', own: false, container: null } }),
      onlyFour,
      ways,
    ),
    null,
  );
});

test('a rule about TCP says nothing of UDP, and one about IPv6 nothing of IPv4', () => {
  const drop = (match: Match): Ruleset => [
    {
      family: 'inet',
      table: 'filter',
      name: 'input',
      rules: [{ matches: [match], verdict: { do: 'drop' }, text: 'drop' }],
      base: { hook: 'input', priority: 0, policy: 'accept', nat: false, device: null },
    },
  ];
  const dns = listener({ protocol: 'udp', address: '0.0.0.0', port: 53, v6only: null });
  const six = addressSet('fd00::1')?.set ?? [];
  for (const match of [
    { on: 'port', protocols: ['tcp'], ranges: [[22, 22]], negated: 'is not' },
    { on: 'destination', family: 6, set: six, negated: 'is not' },
    { on: 'protocol', family: 6, names: ['tcp'], negated: 'is not' },
  ] satisfies Match[])
    assert.equal(reachableFrom(dns, drop(match), ways)?.from, 'anyone', JSON.stringify(match.on));
});

test('what a rule sends elsewhere is judged by the chains of its own way', () => {
  const published = parseIptablesSave(
    `*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
*filter
:INPUT DROP [0:0]
COMMIT
`,
    4,
    'iptables',
  );
  const four = { address: '0.0.0.0', v6only: null };
  const proxied = listener({ ...four, port: 8080, holder: 'forwarder', forwardsTo: '172.17.0.2:80' });
  assert.equal(reachableFrom(proxied, published, ways)?.from, 'anyone');
  assert.equal(reachableFrom(listener({ ...four, port: 8080 }), published, ways)?.from, 'nobody');
  assert.equal(reachableFrom(listener({ ...four, port: 8081 }), published, ways)?.from, 'nobody');
  assert.equal(reachableFrom(listener({ ...four, holder: 'forwarder' }), published, ways)?.from, 'nobody');
});
