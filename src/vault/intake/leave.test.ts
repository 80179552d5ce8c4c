import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { micros, systemClock } from '#base/clock';
import { Framing } from '#vault/record';
import { leaveMark, markedFile } from './leave.ts';
import { isIntakeName } from './position.ts';
import { openIntakeWriter } from './writer.ts';

const head = {
  flags: 0,
  framing: Framing.newline,
  received: micros(1_778_554_800_000_001),
  sequence: 0,
  listener: 'l',
  peer: 'p',
  tlsName: '',
  stream: '',
  meta: '',
};

it('a file that has a mark is left while nothing comes in, and nothing is appended to it any more', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-leave-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const names = (): string[] => readdirSync(dir).filter(isIntakeName).sort();
  const writer = await openIntakeWriter({ dir, clock: systemClock(), onFault: assert.ifError });
  try {
    await writer.append(head, Buffer.from('one\n'));
    const [first = ''] = names();
    const before = readFileSync(join(dir, first));
    writeFileSync(leaveMark(join(dir, first)), '');
    for (const end = Date.now() + 60_000; names().length < 2; await sleep(20))
      assert.ok(Date.now() < end, 'no other file was begun within 60 s');
    await writer.append(head, Buffer.from('two\n'));
    // Long enough for another look at the marks: the new file has none.
    await sleep(1200);
    assert.equal(names().length, 2);
    assert.ok(before.equals(readFileSync(join(dir, first))));
    assert.match(readFileSync(join(dir, names()[1] ?? ''), 'latin1'), /two\n$/);
  } finally {
    await writer.close();
  }
});

it('a mark names its file, and nothing else is a mark', () => {
  const name = '000000000001-0123abcd.intake';
  assert.equal(markedFile(leaveMark(`/somewhere/${name}`)), name);
  for (const other of [name, 'x.leave', '.leave', `${name}.leave.leave`])
    assert.equal(markedFile(other), null);
});
