import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HolderProcess, Listener, Reachable } from '#inspect';
import { rowOf } from './list.ts';

const holder = (changes: Partial<HolderProcess>): HolderProcess => ({
  pid: 812,
  exe: '/usr/sbin/nginx',
  deleted: false,
  script: null,
  user: 'root',
  uid: 0,
  unit: 'nginx.service',
  package: 'nginx',
  packageRequired: false,
  interpreter: false,
  version: null,
  args: [],
  enabled: null,
  startedAt: null,
  container: null,
  ...changes,
});

const listener = (changes: Partial<Listener>): Listener => ({
  protocol: 'tcp',
  address: '::',
  port: 80,
  v6only: false,
  device: null,
  netns: { inode: 1, name: null, own: true, container: null },
  holder: 'process',
  processes: [holder({})],
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

test('a wildcard of IPv6 says whether it takes IPv4 too', () => {
  const address = (changes: Partial<Listener>) => rowOf(listener(changes), null)[0];
  assert.equal(address({ v6only: true }), 'tcp [::]:80 (IPv6 only)');
  assert.equal(address({ v6only: false }), 'tcp [::]:80 (IPv4 too)');
  assert.equal(address({ v6only: null }), 'tcp [::]:80 (IPv4 too: ?)');
  assert.equal(address({ address: '0.0.0.0', v6only: null }), 'tcp 0.0.0.0:80');
  assert.equal(address({ address: '2001:db8::1', v6only: null }), 'tcp [2001:db8::1]:80');
});

test('every holder is named, with the script that an interpreter runs', () => {
  const processes = [
    holder({ pid: 1, exe: '/usr/bin/python3.11', script: '/srv/app.py' }),
    holder({ pid: 2 }),
    holder({ pid: 3, exe: '/usr/bin/python3.11', script: '/srv/app.py' }),
    holder({ pid: 4, exe: null }),
    holder({ pid: 5, deleted: true }),
  ];
  assert.equal(
    rowOf(listener({ processes }), null).at(-1),
    'python3.11 /srv/app.py [1, 3] root, nginx.service; nginx [2] root, nginx.service; ? [4] root, nginx.service; nginx (deleted) [5] root, nginx.service',
  );
});

test('who can reach it is said in one word, or that it could not be judged', () => {
  const whence = (reachable: Reachable | null) => rowOf(listener({}), reachable)[1];
  const rule = 'tcp dport 80 accept';
  const networks = ['192.0.2.0/24'];
  assert.equal(whence(null), '?');
  assert.equal(whence({ from: 'anyone', networks: [], rule, doubts: [] }), 'anyone');
  assert.equal(whence({ from: 'anyone', networks, rule, doubts: [] }), 'anyone but 192.0.2.0/24');
  assert.equal(whence({ from: 'networks', networks, rule, doubts: ['a rate'] }), 'at most 192.0.2.0/24');
});
