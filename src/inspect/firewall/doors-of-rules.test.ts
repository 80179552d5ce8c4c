import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Listener } from '../services/report.ts';
import { doorsWithoutListener, sentOn } from './doors.ts';
import type { Published } from './published.ts';
import type { Surround } from './reachable.ts';

const netns = { inode: 1, name: null, own: true, container: null };
const published: Published = {
  protocol: 'tcp',
  port: 80,
  entrance: { interface: 'eth0', address: '192.0.2.1', family: 4, prefix: 24 },
  arrival: {
    address: '172.17.0.2',
    port: 80,
    isHere: false,
    translatedBy: 'dnat to 172.17.0.2:80',
    sources: [],
    reach: { from: 'nobody', networks: [], rule: '', doubts: [] },
  },
};
const surround: Surround = {
  host: { netns, ruleset: null, links: [] },
  places: [],
  road: { isHere: () => true, leavesBy: () => null, forwards: () => true },
  published: [published],
};
const listener = (more: Partial<Listener>): Listener[] => {
  const [door] = doorsWithoutListener([], surround);
  return door === undefined ? assert.fail() : [{ ...door, ...more }];
};

test('a port that a rule sends to a container is a door, also where a server of the host has it', () => {
  assert.equal(doorsWithoutListener([], surround).length, 1);
  assert.equal(doorsWithoutListener(listener({ holder: 'process' }), surround).length, 1);
});

test('what forwards the port is the same door as the rule beside it, if it takes that family', () => {
  assert.equal(doorsWithoutListener(listener({}), surround).length, 0);
  assert.equal(doorsWithoutListener(listener({ address: '::', v6only: false }), surround).length, 0);
  assert.equal(doorsWithoutListener(listener({ address: '::', v6only: true }), surround).length, 1);
});

test('where what holds the port does not say where it leads, the rule says it', () => {
  const leadsTo = (more: Partial<Listener>): (string | null)[] =>
    listener({ forwardsTo: null, ...more }).map((one) => sentOn(one, surround).forwardsTo);
  assert.deepEqual(leadsTo({}), ['172.17.0.2:80']);
  assert.deepEqual(leadsTo({ forwardsTo: '/run/a.sock' }), ['/run/a.sock']);
  assert.deepEqual(leadsTo({ port: 81 }), [null]);
  assert.deepEqual(leadsTo({ holder: 'process' }), [null]);
});
