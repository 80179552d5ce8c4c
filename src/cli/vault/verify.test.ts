import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VerifyReport } from '#vault/verify';
import { testIo } from '../test-io.ts';
import { renderVerify } from './verify.ts';

const report = (changes: Partial<VerifyReport>): VerifyReport => ({
  ok: true,
  origin: 'gull/holdfast',
  size: 3,
  root: 'AAAA',
  lines: 12,
  entries: 3,
  problems: [],
  more: 0,
  uncommitted: 0,
  freshness: 'current: it is what the signer remembers',
  ...changes,
});

test('"unaltered" is green only where the vault is also known to be current', () => {
  const current = renderVerify(testIo(), report({}));
  assert.match(current, /^<green>unaltered<\/green>/);
  assert.match(current, /^freshness: current/m);
  const unknown = renderVerify(testIo(), report({ freshness: 'unknown: nothing to compare with' }));
  assert.doesNotMatch(unknown, /green/);
  assert.match(unknown, /^<yellow>freshness: unknown: nothing to compare with<\/yellow>$/m);
});

test('problems beyond those that are listed are counted and mentioned', () => {
  const broken = renderVerify(
    testIo(),
    report({ ok: false, problems: [{ file: 'segment/\u001b[2J', what: 'changed' }], more: 41 }),
  );
  assert.match(broken, /NOT INTACT<\/red>: 42 problems/);
  assert.match(broken, /and 41 more that are not listed/);
  assert.match(broken, /segment\/\\x1b\[2J/);
});
