import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OpenDoor } from './plan.ts';
import { targetsOf } from './prove.ts';

const own = { four: '10.0.0.5', six: 'fd00::5' };
const dialled = (more: Partial<OpenDoor>, from = own): string[] =>
  targetsOf([{ protocol: 'tcp', address: '::', port: 80, v6only: false, ...more }], from).map(
    ({ address }) => address,
  );

test('a wildcard is knocked at in each family that it takes', () => {
  assert.deepEqual(dialled({}), ['fd00::5', '10.0.0.5']);
  assert.deepEqual(dialled({ v6only: true }), ['fd00::5']);
  assert.deepEqual(dialled({ address: '0.0.0.0', v6only: null }), ['10.0.0.5']);
});

test('a family of which the host has no address is left out', () => {
  assert.deepEqual(
    targetsOf([{ protocol: 'tcp', address: '::', port: 80, v6only: true }], { ...own, six: null }),
    [],
  );
});
