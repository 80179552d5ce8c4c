import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Argv } from '#advise';
import { FixError } from './errors.ts';
import { readJournal, stateOf } from './journal.ts';
import { programs } from './programs.fixture.ts';
import { stage, writing } from './undo.fixture.ts';
import { recover, rollBack } from './undo.ts';

test('a fix that was killed before it wrote anything restores nothing', async (t) => {
  const { fixer, paths } = stage(t);
  writeFileSync(paths[0], "the operator's\n");
  assert.deepEqual(await recover(fixer), ['one']);
  assert.equal(readFileSync(paths[0], 'utf8'), "the operator's\n");
  assert.equal(stateOf(readJournal(fixer.fixes, 'one')), 'undone');
});

test('killed in the middle of a file, it is put back, and what others wrote is kept', async (t) => {
  const { fixer, journal, paths, steps } = stage(t);
  writing(journal);
  writeFileSync(paths[0], 'new\n');
  writeFileSync(paths[1], "the operator's\n");
  for (const name of ['.holdfast-unfinished', '.holdfast-unfinished.new'])
    writeFileSync(paths[1] + name, 'to');
  assert.deepEqual(await recover(fixer), ['one']);
  assert.deepEqual(
    paths.map((path) => readFileSync(path, 'utf8')),
    ['old\n', 'old\n'],
  );
  assert.equal(readFileSync(join(journal.directory, 'since-b.conf-1'), 'utf8'), "the operator's\n");
  assert.equal(existsSync(`${paths[1]}.holdfast-unfinished.new`), false);
  assert.ok(steps.includes('put aside told'));
});

test('a damaged backup keeps no other file from being put back, and the undo can be begun again', async (t) => {
  const { fixer, journal, paths } = stage(t);
  writing(journal);
  for (const path of paths) writeFileSync(path, 'new\n');
  writeFileSync(join(journal.directory, '0'), 'rotten');
  await assert.rejects(rollBack(fixer, journal, 'of a test'), /not put back: .*a\.conf/);
  assert.equal(readFileSync(paths[1], 'utf8'), 'old\n');
  assert.equal(stateOf(readJournal(fixer.fixes, 'one')), 'undoing');
  writeFileSync(join(journal.directory, '0'), 'old\n');
  assert.equal(await rollBack(fixer, readJournal(fixer.fixes, 'one'), 'of a test'), true);
  assert.equal(readFileSync(paths[0], 'utf8'), 'old\n');
});

const code =
  (wanted: string) =>
  (error: unknown): boolean =>
    error instanceof FixError && error.code === wanted;

/** A command that leaves a line each time it runs, and how often it has run. */
const counted = (t: TestContext): { argv: Argv; times: () => number } => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-undo-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'times');
  return {
    argv: ['sh', '-c', `echo >> ${file}`],
    times: () => (existsSync(file) ? readFileSync(file).length : 0),
  };
};

test('a journal that takes nothing has the daemon restarted once, however often the undo is begun', async (t) => {
  const { argv, times } = counted(t);
  const { fixer, journal, paths, steps } = stage(t, { revert: [argv] });
  writing(journal);
  writeFileSync(paths[0], 'new\n');
  const file = join(journal.directory, 'journal.jsonl');
  renameSync(file, `${file}.away`);
  for (let again = 0; again < 3; again++) {
    await assert.rejects(rollBack(fixer, journal, 'of a test'), code('not-written'));
    assert.equal(readFileSync(paths[0], 'utf8'), 'old\n');
    assert.equal(times(), 1);
  }
  assert.deepEqual(
    steps.slice(0, 4),
    ['undo begun', 'restore ok', 'restart ok', 'undone ok'].map((step) => `${step}, not written`),
  );
  renameSync(`${file}.away`, file);
  assert.equal(await rollBack(fixer, readJournal(fixer.fixes, 'one'), 'of a test'), true);
});

test('a file that cannot be put back restarts nothing', async (t) => {
  const { argv, times } = counted(t);
  const { fixer, journal, paths } = stage(t, { revert: [argv] });
  writing(journal);
  writeFileSync(paths[0], 'new\n');
  writeFileSync(join(journal.directory, '0'), 'rotten');
  await assert.rejects(rollBack(fixer, journal, 'of a test'), code('damaged'));
  assert.equal(times(), 0);
});

test('a command of the undo that fails is no undo that went well', async (t) => {
  const { fixer, journal, steps } = stage(t, { revert: [['false']] });
  writing(journal);
  assert.equal(await rollBack(fixer, journal, 'of a test'), false);
  assert.equal(steps.at(-1), 'undone failed');
  assert.match(journal.entries.at(-1)?.text ?? '', /but 'false' failed/);
});

test('a unit that starts at boot otherwise than before is no undo that went well', async (t) => {
  programs(t, { systemctl: 'echo disabled; exit 1' });
  const { fixer, journal } = stage(t, {
    before: { units: [{ unit: 'a.socket', boot: 'enabled', active: false }], alternatives: [] },
  });
  writing(journal);
  assert.equal(await rollBack(fixer, journal, 'of a test'), false);
  assert.match(journal.entries.at(-1)?.text ?? '', /but a\.socket is disabled, and was enabled/);
});

test('before anything was changed, a journal that takes nothing says so, and why the fix could not begin', async (t) => {
  const { fixer, journal } = stage(t);
  const file = join(journal.directory, 'journal.jsonl');
  renameSync(file, `${file}.away`);
  await assert.rejects(
    rollBack(fixer, journal, 'it could not begin: of a test'),
    (error) => code('not-written')(error) && /could not begin: of a test/.test(String(error)),
  );
});

test('the archive of a package is gone once it is installed again', async (t) => {
  programs(t, { 'apt-get': '', 'dpkg-query': `echo 'one ii '` });
  const one = { name: 'one', version: '1', architecture: 'all', automatic: false, kept: '0.deb' };
  const { fixer, journal } = stage(t, {}, [one]);
  writing(journal);
  assert.equal(await rollBack(fixer, journal, 'of a test'), true);
  assert.equal(existsSync(join(journal.directory, '0.deb')), false);
  assert.equal(existsSync(join(journal.directory, '0')), true);
});
