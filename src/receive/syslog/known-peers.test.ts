import assert from 'node:assert/strict';
import { test } from 'node:test';
import { knownPeers } from './known-peers.ts';

test('a sender is begun once, by address and port', () => {
  const begun: string[] = [];
  const peers = knownPeers((address, port) => {
    begun.push(`${address} ${port}`);
    return { address, port };
  });
  const first = peers.of('192.0.2.1', 514);
  assert.equal(peers.of('192.0.2.1', 514), first);
  assert.notEqual(peers.of('192.0.2.1', 515), first);
  assert.notEqual(peers.of('192.0.2.2', 514), first);
  assert.equal(peers.of('192.0.2.1', 514), first);
  assert.deepEqual(begun, ['192.0.2.1 514', '192.0.2.1 515', '192.0.2.2 514']);
});

test('one that may not speak is remembered too', () => {
  let asked = 0;
  const peers = knownPeers(() => {
    asked += 1;
    return null;
  });
  assert.equal(peers.of('192.0.2.1', 514), null);
  assert.equal(peers.of('192.0.2.2', 514), null);
  assert.equal(peers.of('192.0.2.1', 514), null);
  assert.equal(asked, 2);
});

test('strangers with ever new ports cannot fill the memory, and none is taken for another', () => {
  let begun = 0;
  const peers = knownPeers((_, port) => {
    begun += 1;
    return port;
  });
  for (let port = 1; port <= 5000; port += 1) assert.equal(peers.of('192.0.2.1', port), port);
  assert.equal(begun, 5000);
  // The first ones were forgotten on the way.
  assert.equal(peers.of('192.0.2.1', 1), 1);
  assert.equal(begun, 5001);
});
