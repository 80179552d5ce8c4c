import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#base/clock';
import { unseenSections } from '#wire/audit';
import { examineHost } from './examine.ts';

test('a host that shows nothing is a host that could not be looked at, in all four sections', async (t) => {
  const nothing = mkdtempSync(join(tmpdir(), 'holdfast-nothing-'));
  t.after(() => rmSync(nothing, { recursive: true, force: true }));
  for (const part of ['proc', 'sys', 'root']) mkdirSync(join(nothing, part));
  const paths = { proc: join(nothing, 'proc'), sys: join(nothing, 'sys'), root: join(nothing, 'root') };
  const { report, facts } = await examineHost({ clock: systemClock(), holdfast: null, paths });
  assert.deepEqual(unseenSections(report), ['services', 'patches', 'logging', 'isolation']);
  assert.ok(report.couldNotLook.length >= 4);
  assert.deepEqual(facts.services, ['no socket could be seen']);
  assert.match(facts.isolation.join('\n'), /could not be seen/);
});

test('this host can be looked at', async () => {
  const { report } = await examineHost({ clock: systemClock(), holdfast: null });
  assert.ok(!unseenSections(report).includes('services'));
  assert.ok(!unseenSections(report).includes('isolation'));
});
