import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import type { Freshness, VerifyReport } from '#vault/verify';
import { testIo } from '../test-io.ts';
import { newProgressBar } from './verify-progress.ts';
import { renderVerify } from './verify-report.ts';

const freshness = (changes: Partial<Freshness>): Freshness => ({
  verdict: 'unknown',
  detail: 'nobody outside was heard',
  signer: { says: 'the same', size: 3 },
  remembered: [],
  split: [],
  unusable: [],
  ...changes,
});

const report = (changes: Partial<VerifyReport>): VerifyReport => ({
  ok: true,
  integrity: { verdict: 'unaltered', detail: '12 lines in 3 entries' },
  completeness: {
    verdict: 'complete',
    detail: 'no number is missing',
    gaps: [],
    more: 0,
    removed: [],
    moreRemoved: 0,
    unknown: [],
  },
  freshness: freshness({}),
  scope: 'whole',
  origin: 'gull/holdfast',
  size: 3,
  root: 'AAAA',
  keys: { given: '01234567', inForce: 'k', replaced: 0, uncheckedTo: null },
  lines: 12,
  entries: 3,
  problems: [],
  more: 0,
  uncommitted: 0,
  ...changes,
});

const rendered = (changes: Partial<VerifyReport>): string => renderVerify(testIo(), report(changes));

describe('the report of vault verify', () => {
  it('is green only where somebody outside was heard', () => {
    const current = rendered({
      freshness: freshness({ verdict: 'current', detail: 'as new as what W said' }),
    });
    assert.match(current, /^<green>unaltered<\/green>/);
    assert.match(current, /^<bold>freshness current<\/bold>: as new as what W said$/m);
    const unknown = rendered({});
    assert.doesNotMatch(unknown, /green/);
    assert.match(unknown, /^<yellow>freshness unknown<\/yellow>: nobody outside was heard$/m);
  });

  it('is red where somebody remembers more, and never green for what is only not contradicted', () => {
    const contradicted = rendered({
      ok: false,
      integrity: { verdict: 'altered', detail: '1 problem' },
      problems: [{ file: 'checkpoint', what: 'rolled back' }],
      freshness: freshness({ verdict: 'contradicted', detail: 'keys/contradiction remembers size 553' }),
    });
    assert.match(
      contradicted,
      /^<red>freshness contradicted<\/red>: keys\/contradiction remembers size 553$/m,
    );
    assert.doesNotMatch(contradicted, /green/);
    const last =
      'w.example/1 last spoke at 2027-01-15T08:00:00Z for size 511: that is more than 5 minutes ago';
    const old = rendered({ freshness: freshness({ verdict: 'unknown', detail: last }) });
    assert.ok(old.includes(`<yellow>freshness unknown</yellow>: ${last}\n`));
    assert.doesNotMatch(old, /green/);
  });

  it('counts problems beyond those that are listed, and escapes names', () => {
    const broken = rendered({
      ok: false,
      integrity: { verdict: 'altered', detail: '42 problems' },
      problems: [{ file: 'segment/\u001b[2J', what: 'changed' }],
      more: 41,
    });
    assert.match(broken, /NOT INTACT<\/red>: 42 problems/);
    assert.match(broken, /and 41 more that are not listed/);
    assert.match(broken, /segment\/\\x1b\[2J/);
  });

  it('says gaps, what was removed, the range, the keys, and both notes of a split view', () => {
    const gap = {
      sender: 'a\u0007',
      cause: 'never came',
      count: 2,
      first: 5,
      last: 6,
      from: null,
      until: 'T',
    };
    const text = rendered({
      ok: false,
      scope: { first: 4, end: 6 },
      completeness: {
        verdict: 'known gaps',
        detail: '1 gap',
        gaps: [gap],
        more: 3,
        removed: [{ kind: 'redacted', first: 1, end: 2, lines: 1, under: 9 }],
        moreRemoved: 0,
        unknown: [],
      },
      freshness: freshness({
        verdict: 'contradicted',
        split: [{ by: 'agent', theirs: 'one\n', ours: 'other\n' }],
        unusable: [{ by: 'mail', why: 'no note' }],
      }),
      keys: { given: '01234567', inForce: 'the new key', replaced: 1, uncheckedTo: 8 },
    });
    for (const said of [
      /only entries 4 to 5 of 3 were checked/,
      /^<yellow>completeness known gaps<\/yellow>: 1 gap$/m,
      /^ {2}gap: a\\x07: 2 lost, never came, numbers 5 to 6, before – T$/m,
      /^ {2}… and 3 more gaps$/m,
      /^redacted in entry 1: 1 line, under entry 9$/m,
      /^ {2}agent:\n {4}one\n {2}this vault:\n {4}other$/m,
      /could not be compared<\/yellow>: mail: no note/,
      /started from key 01234567, the key in force is the new key\. Checkpoints up to size 8/,
    ])
      assert.match(text, said);
  });
});

test('progress is a bar on a terminal, wiped away at the end, and elsewhere a line each ten seconds', () => {
  let now = 0;
  const run = (terminal: boolean): string => {
    let written = '';
    now = 0;
    const bar = newProgressBar({
      write: (text) => (written += text),
      elapsed: () => now,
      terminal,
      columns: 100,
    });
    const total = { entries: 10, lines: 2000, bytes: 100_000 };
    for (let done = 1; done <= 10; done++) {
      now += 2500;
      bar.update({
        entries: { done, total: total.entries },
        lines: { done: done * 200, total: total.lines },
        bytes: { done: done * 10_000, total: total.bytes },
      });
    }
    bar.end();
    return written;
  };
  const drawn = run(true);
  assert.match(drawn, /^\r\x1b\[K\[###\.+\] 10 %, 200 of 2000 lines, 80 lines\/s, 23 s left/);
  assert.ok(drawn.endsWith('\r\x1b[K'));
  assert.equal(
    run(false),
    'verify: 40 %, 800 of 2000 lines, 80 lines/s, 15 s left\nverify: 80 %, 1600 of 2000 lines, 80 lines/s, 5 s left\n',
  );
});
