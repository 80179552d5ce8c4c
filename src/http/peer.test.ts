import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as soon } from 'node:timers/promises';
import { openPeerBound, peerOf, type Peer } from './peer.ts';

test('who is one peer', () => {
  for (const [remoteAddress, name] of [
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ] as const)
    assert.deepEqual(peerOf('tcp', { remoteAddress }), { over: 'tcp', name });
});

test('a connection without an address is nobody’s over TCP; what it is, only its listener says', () => {
  assert.equal(peerOf('tcp', { remoteAddress: undefined }), null);
  assert.equal(peerOf('tcp', { remoteAddress: '' }), null);
  assert.deepEqual(peerOf('unix', { remoteAddress: undefined }), { over: 'unix', name: 'local' });
});

test('a peer has so many connections at once, and this machine as many as there are', async () => {
  const bound = openPeerBound(2);
  const stranger: Peer = { over: 'tcp', name: '192.0.2.7' };
  const [one, two, three] = [new Socket(), new Socket(), new Socket()];
  assert.deepEqual(
    [one, two, three].map((socket) => bound.admits(socket, stranger)),
    [true, true, false],
  );
  assert.equal(bound.admits(three, { over: 'tcp', name: '192.0.2.8' }), true);
  one.destroy();
  await soon();
  assert.equal(bound.admits(new Socket(), stranger), true);
  assert.equal(bound.admits(new Socket(), stranger), false);
  for (const own of ['127.0.0.1', '0:0:0:0::/64'])
    for (let i = 0; i < 3; i++) assert.equal(bound.admits(new Socket(), { over: 'tcp', name: own }), true);
  for (let i = 0; i < 3; i++) assert.equal(bound.admits(new Socket(), { over: 'unix', name: 'local' }), true);
});
