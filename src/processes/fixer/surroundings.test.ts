import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { stateDirectory } from '#base/state';
import type { Io } from '#cli';
import { receiver } from './receiver.fixture.ts';
import { withFixer } from './surroundings.ts';

const printed = (): Io & { said: string[] } => {
  const said: string[] = [];
  return {
    said,
    out: (text) => void said.push(text),
    err: (text) => void said.push(text),
    paint: (_style, text) => text,
    width: 100,
    interactive: false,
  };
};

for (const [what, turnsAway, missing] of [
  ['is there again when the fix ends gets all steps of it', 1, false],
  ['stays away is told of', 2, true],
] as const)
  test(`a receiver that ${what}`, async (t) => {
    const its = await receiver(t);
    Object.assign(its, { takes: true, turnsAway });
    const state = { ...stateDirectory(dirname(its.ownSocket)), ownSocket: its.ownSocket };
    mkdirSync(join(state.fixes, 'one'), { recursive: true });
    const first = { n: 1, time: '2026-01-01T00:00:00Z', step: 'backup', outcome: 'ok', text: 'kept' };
    const opening = { plan: { unit: 'a.service', service: 'A' }, backups: [] };
    writeFileSync(
      join(state.fixes, 'one', 'journal.jsonl'),
      `${JSON.stringify({ ...first, state: 'backed-up', opening })}\n`,
    );
    const io = printed();
    await withFixer(
      { io, state, json: false },
      () => undefined,
      async () => undefined,
    );
    assert.equal(its.taken().includes('"step":"backup"'), !missing);
    assert.equal(io.said.join('').includes('alone until Holdfast runs'), missing);
  });

test('a step that neither a journal nor a receiver took is told of, also where the receiver is back at the end', async (t) => {
  const its = await receiver(t);
  Object.assign(its, { takes: true, turnsAway: 1 });
  const state = { ...stateDirectory(dirname(its.ownSocket)), ownSocket: its.ownSocket };
  const io = printed();
  await withFixer(
    { io, state, json: false },
    () => undefined,
    async (fixer) => fixer.unwritten('one', { step: 'restart', outcome: 'ok', text: 'no room' }),
  );
  assert.match(io.said.join(''), /Of the steps above that no journal has, 1 may be in no log either/);
});
