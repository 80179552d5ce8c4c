import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { undoAsGuard } from './guarded-undo.ts';
import { readJournal, stateOf } from './journal.ts';
import { stage, writing, type Stage } from './undo.fixture.ts';

/** Has the guard undo a fix whose backup cannot be read until so many tries have failed. @returns seconds of the pauses */
const pausesOf = async ({ fixer, journal, paths }: Stage, failures: number): Promise<number[]> => {
  writing(journal);
  writeFileSync(paths[0], 'new\n');
  writeFileSync(join(journal.directory, '0'), 'rotten');
  const pauses: number[] = [];
  const undone = await undoAsGuard(fixer, journal.id, async (milliseconds) => {
    pauses.push(milliseconds / 1000);
    if (pauses.length === failures) writeFileSync(join(journal.directory, '0'), 'old\n');
  });
  assert.deepEqual(undone, { id: journal.id, good: true });
  assert.equal(readFileSync(paths[0], 'utf8'), 'old\n');
  assert.equal(stateOf(readJournal(fixer.fixes, journal.id)), 'undone');
  return pauses;
};

test('the guard tries until it is undone, more and more rarely, and says each time that it waits', async (t) => {
  const its = stage(t);
  assert.deepEqual(await pausesOf(its, 7), [10, 20, 40, 80, 160, 300, 300]);
  assert.equal(its.steps.filter((step) => step === 'waiting failed, not written').length, 7);
});

test('who may be locked out waits no longer for the next try', async (t) => {
  assert.deepEqual(await pausesOf(stage(t, { losesLogin: true }), 7), Array(7).fill(10));
});

test('a fix that somebody has moved away meanwhile is not waited for', async (t) => {
  const { fixer, journal, paths } = stage(t);
  writing(journal);
  writeFileSync(paths[0], 'new\n');
  writeFileSync(join(journal.directory, '0'), 'rotten');
  const moved = undoAsGuard(fixer, journal.id, async () => rmSync(journal.directory, { recursive: true }));
  await assert.rejects(moved, { code: 'no-such-fix' });
});
