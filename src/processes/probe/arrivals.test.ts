import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { stateDirectory } from '#base/state';
import { probeArrivals, type TwoSided } from './arrivals.ts';

test('one token for two addresses settles neither, and is not sent', async (t) => {
  const silent = createSocket('udp4');
  t.after(() => void silent.close());
  let came = 0;
  silent.on('message', () => (came += 1));
  silent.bind(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address();
  const asked: TwoSided = {
    address: '127.0.0.1',
    addresses: 2,
    ports: [port],
    through: null,
    token: 'abcdefghijkl',
  };
  const state = stateDirectory('/nonexistent');
  const { byPort, couldNotLook } = await probeArrivals(state, asked);
  assert.equal(byPort.size, 0);
  assert.equal(couldNotLook[0]?.what, `what reaches udp/${port} of 127.0.0.1`);
  assert.equal(came, 0);

  for (const one of [
    { ...asked, addresses: 1 },
    { ...asked, token: null },
  ]) {
    const settled = await probeArrivals(state, one);
    assert.deepEqual([settled.byPort.get(port)?.sent, settled.couldNotLook], [5, []]);
  }
});
