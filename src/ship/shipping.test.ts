import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#base/clock';
import type { Deliverer } from './deliver.ts';
import { startShipping } from './shipping.ts';
import { quiet } from './testing/place.ts';

/** Keeps nothing until `keep` is called, as a spool on a disk that is slow. */
const slowDeliverer = () => {
  const kept = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const deliverer: Deliverer = {
    stream: 't',
    cursors: new Map(),
    send: async () => undefined,
    async put() {
      asked.resolve();
      await kept.promise;
    },
    backlog: () => ({ lines: 0, bytes: 0, connected: true, full: false }),
    close: async () => undefined,
  };
  return { deliverer, asked: asked.promise, keep: kept.resolve };
};

test('what stops waits for the facts that are being sent', async () => {
  const { deliverer, asked, keep } = slowDeliverer();
  const shipping = startShipping({
    deliverer,
    logRoots: [],
    excluded: [],
    journal: 'off',
    kernelRing: 'off',
    trusted: new Set(),
    facts: async () => [{ name: 'a', value: 1 }],
    clock: systemClock(),
    log: quiet().log,
    fail: (error) => assert.fail(String(error)),
  });
  await asked;
  const order: string[] = [];
  const stopped = shipping.stop().then(() => order.push('stopped'));
  await new Promise((resolve) => setImmediate(resolve));
  order.push('kept');
  keep();
  await stopped;
  assert.deepEqual(order, ['kept', 'stopped']);
});
