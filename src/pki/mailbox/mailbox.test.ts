import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { micros } from '#base/clock';
import { openMailbox, type Mailbox } from './index.ts';

const minute = 60_000;

/** A directory into which others may put things, and its mailbox. */
const place = (t: TestContext): { directory: string; box: Mailbox; said: string[]; at: { ms: number } } => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-mailbox-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const said: string[] = [];
  const at = { ms: Date.now() };
  const clock = { now: () => micros(at.ms * 1000), elapsed: () => at.ms };
  const box = openMailbox(directory, { mode: 0o600, clock, log: (_, text) => void said.push(text) });
  return { directory, box, said, at };
};

const id = (digit: string): string => digit.repeat(16);

test('a directory in the place of an answer, or of a request, goes', async (t) => {
  const { directory, box } = place(t);
  mkdirSync(join(directory, `${id('a')}.answer`, 'deep'), { recursive: true });
  mkdirSync(join(directory, `${id('a')}.ask`, 'deep'), { recursive: true });
  assert.deepEqual(await box.next(), { id: id('a'), bytes: null });
  await box.answer(id('a'), Buffer.from('no'));
  assert.equal(await box.next(), null);
});

const notRoot = process.getuid?.() === 0 ? false : 'what another user has made takes root to make';

test(
  'what lies in the way and belongs to another user is passed over, said once, and others are answered',
  { skip: notRoot },
  async (t) => {
    const { directory, box, said, at } = place(t);
    const stranger = 61_701;
    for (const path of [`${id('a')}.answer`, `${id('b')}.ask`, `${id('c')}.writing`]) {
      mkdirSync(join(directory, path, 'deep'), { recursive: true });
      chmodSync(join(directory, path), 0o700);
      chownSync(join(directory, path), stranger, stranger);
    }
    for (const digit of ['a', 'c', 'd'])
      writeFileSync(join(directory, `${id(digit)}.ask`), digit, { mode: 0o644 });
    chownSync(directory, 61_709, 61_709);
    const answered: string[] = [];
    process.seteuid?.(61_709);
    try {
      for (let one = await box.next(); one !== null; one = await box.next()) {
        answered.push(one.id);
        await box.answer(one.id, Buffer.from('yes'));
      }
      assert.deepEqual(answered.toSorted(), ['a', 'b', 'c', 'd'].map(id));
      assert.equal(said.length, 3, said.join('\n'));
      assert.ok(existsSync(join(directory, `${id('d')}.answer`)));

      // What is old goes, but for that; it does not end the sweep.
      at.ms += 11 * minute;
      await box.sweep();
      assert.match(said.at(-1) ?? '', /^3 old of what lies in /);
      assert.ok(!existsSync(join(directory, `${id('d')}.answer`)));
    } finally {
      process.seteuid?.(0);
    }
  },
);

test('what nobody comes for goes by the clock that it is given', async (t) => {
  const { directory, box, at } = place(t);
  const file = join(directory, `${id('a')}.answer`);
  writeFileSync(file, '');
  utimesSync(file, at.ms / 1000, at.ms / 1000);
  at.ms += 9 * minute;
  await box.sweep();
  assert.ok(existsSync(file));
  at.ms += 2 * minute;
  await box.sweep();
  assert.ok(!existsSync(file));
});
