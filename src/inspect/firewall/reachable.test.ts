import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Listener } from '../services/report.ts';
import { parseIptablesSave } from './iptables-save.ts';
import { reachableFrom } from './reachable.ts';

const listener = (changes: Partial<Listener>): Listener => ({
  protocol: 'tcp',
  address: '::',
  port: 3306,
  v6only: false,
  netns: { inode: 1, name: null, own: true },
  holder: 'process',
  processes: [],
  scope: 'public',
  uid: 0,
  inodes: [7],
  transient: null,
  socketUnit: null,
  activates: null,
  forwardsTo: null,
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
const ways = [
  { interface: 'eth0', address: '198.51.100.2', family: 4 },
  { interface: 'eth1', address: '203.0.113.2', family: 4 },
  { interface: 'eth0', address: '2001:db8::2', family: 6 },
] as const;

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
  assert.equal(reachableFrom(listener({ protocol: 'packet', port: 3 }), onlyFour, ways), null);
  assert.equal(
    reachableFrom(listener({ netns: { inode: 2, name: 'blue', own: false } }), onlyFour, ways),
    null,
  );
});
