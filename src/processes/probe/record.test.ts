import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { stateDirectory } from '#base/state';
import type { Io } from '#cli';
import { receiver } from '../fixer/receiver.fixture.ts';
import { recorded } from './record.ts';

const io: Io = {
  out: () => undefined,
  err: () => undefined,
  paint: (_style, text) => text,
  width: 100,
  interactive: false,
};

test('each address that is not probed is a line, with the reason', async (t) => {
  const its = await receiver(t);
  Object.assign(its, { takes: true, durable: 1n });
  const state = { ...stateDirectory(dirname(its.ownSocket)), ownSocket: its.ownSocket };
  for (const what of [
    { lost: [{ address: '192.0.2.1', why: 'no way' }], others: [] },
    { lost: [], others: ['192.0.2.2'] },
  ])
    await recorded({ io, state, json: false }, 'web', async ({ notLooked }) => notLooked(what));
  const said = its.taken();
  assert.match(said, /"target":"web","outcome":"not looked","address":"192\.0\.2\.1","why":"no way"/);
  assert.match(said, /"outcome":"not looked","address":"192\.0\.2\.2","why":"a name has more/);
});
