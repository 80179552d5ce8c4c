import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { newJournal, readableJournals, readJournal, readJournals, type Opening } from './journal.ts';
import { planOfNothing } from './plan.fixture.ts';

const opening: Opening = {
  plan: planOfNothing,
  backups: [],
  active: [],
  check: null,
  from: null,
};
const time = '2026-01-01T00:00:00Z';

const begun = (t: TestContext): string => {
  const fixes = mkdtempSync(join(tmpdir(), 'holdfast-fixes-'));
  t.after(() => rmSync(fixes, { recursive: true, force: true }));
  newJournal(fixes, 'one').begin(opening, new Map(), time);
  return fixes;
};

for (const leftover of ['', '.new'])
  test(`a line that was torn is cut off by the next one, also with journal.jsonl${leftover} left over`, (t) => {
    const fixes = begun(t);
    const file = join(fixes, 'one', 'journal.jsonl');
    appendFileSync(file, '{"n":2,"st\u00e4');
    if (leftover !== '') writeFileSync(`${file}${leftover}`, 'torn');
    const torn = readFileSync(file);
    const journal = readJournal(fixes, 'one');
    assert.deepEqual(readFileSync(file), torn, 'reading changes nothing');
    journal.append({ step: 'undone', outcome: 'ok', text: 'ü', state: 'undone' }, time);
    journal.append({ step: 'more', outcome: 'ok', text: '' }, time);
    assert.deepEqual(
      readJournal(fixes, 'one').entries.map(({ n, step }) => [n, step]),
      [
        [1, 'backup'],
        [2, 'undone'],
        [3, 'more'],
      ],
    );
  });

test('a journal that cannot be read hides no other, and is not passed over by a fix', (t) => {
  const fixes = begun(t);
  mkdirSync(join(fixes, 'other'));
  writeFileSync(join(fixes, 'other', 'journal.jsonl'), 'nothing\n');
  assert.deepEqual(
    readableJournals(fixes).map(({ id }) => id),
    ['one'],
  );
  assert.throws(() => readJournals(fixes), /cannot be read/);
});

test('old bytes of a fix that could not begin do not stay', (t) => {
  const fixes = begun(t);
  const journal = newJournal(fixes, 'two');
  const kept = new Map([
    ['0', Buffer.from('a password')],
    ['none/1', Buffer.from('cannot be written')],
  ]);
  assert.throws(() => journal.begin(opening, kept, time), /nothing was changed: .*two could not take/);
  assert.deepEqual(readdirSync(fixes), ['one']);
  assert.deepEqual(journal.entries, []);
});
