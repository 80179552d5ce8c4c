import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Answer } from '#wire/search';
import { testIo } from '../test-io.ts';
import { printAnswer, printJson, type AnswerForm } from './answer-line.ts';

type Verdicts = Answer['answer'];

const well: Verdicts = {
  integrity: { verdict: 'unaltered', detail: 'each of the 9 entries matched', indexed: 9, committed: 9 },
  completeness: {
    verdict: 'unknown',
    detail:
      'nobody can tell what is missing from senders that do not number their lines: 10.0.0.5 by syslog-tcp',
    brief: '1 sender does not number',
    notes: [],
    gaps: [],
  },
  freshness: { verdict: 'unknown', detail: 'no witness is configured', unwatched: true },
  range: {
    since: null,
    until: null,
    covered: { from: '2026-11-26T12:33:04.000001Z', until: '2026-11-27T12:33:04.000001Z' },
  },
  count: 101,
  countIs: 'at least',
  elapsedMs: 1,
};

const printed = (change: Partial<Verdicts>, form: AnswerForm = 'brief'): string[] => {
  const io = testIo();
  printAnswer({ ...io, width: 80, paint: (_style, text) => text }, { answer: { ...well, ...change } }, form);
  return io.written.err.trimEnd().split('\n');
};

describe('what is said of an answer', () => {
  it('takes two lines of 80 columns where nothing is wrong', () => {
    assert.deepEqual(printed({}), [
      'more than 100 match (--count) · 2026-11-26 12:33:04 – 2026-11-27 12:33:04 UTC',
      'unaltered · completeness unknown: 1 sender does not number · freshness unknown',
    ]);
  });

  it('repeats as JSON nothing that was asked', () => {
    const io = testIo();
    printJson(io, { answer: { ...well, hints: ['no host is named "wbe1"'] } });
    printJson(io, { answer: well });
    const [first, second] = io.written.out.trimEnd().split('\n');
    assert.deepEqual(JSON.parse(first ?? ''), JSON.parse(second ?? ''));
    assert.match(io.written.err, /hint: no host is named "wbe1"/);
  });

  it('names no time where that of other vaults is not known', () => {
    const range = { since: null, until: null };
    assert.equal(printed({ range })[0], 'more than 100 match (--count)');
    assert.match(
      printed({ range: { ...range, covered: null } })[0] ?? '',
      / · nothing is there for this range$/,
    );
  });

  it('names each gap, and whatever else is out of the ordinary', () => {
    const gaps = [
      {
        sender: 'web1',
        cause: 'number 7 never came',
        count: 1,
        from: '2026-05-12T03:00:00.000000Z',
        until: '2026-05-12T03:00:01.000000Z',
      },
    ];
    const notes = ['12 lines expired under entry 9'];
    const said = printed({ count: 1, completeness: { verdict: 'known gaps', detail: 'gone', notes, gaps } });
    assert.match(said[1] ?? '', /^unaltered · known gaps · /);
    assert.deepEqual(said.slice(2), [
      '  12 lines expired under entry 9',
      '  gap: web1: 1 lost, number 7 never came, 2026-05-12T03:00:00.000000Z –',
      '    2026-05-12T03:00:01.000000Z',
    ]);
  });

  it('says in full what was altered, and what contradicts the vault', () => {
    const said = printed({
      integrity: { ...well.integrity, verdict: 'altered', detail: 'entry 4 is not what was committed' },
      freshness: { verdict: 'contradicted', detail: 'witness1 remembers 40 entries' },
    });
    assert.match(said[1] ?? '', /^altered · .* · contradicted$/);
    assert.deepEqual(said.slice(2), [
      '  integrity: entry 4 is not what was committed',
      '  freshness: witness1 remembers 40 entries',
    ]);
  });

  it('gives every reason where it is asked to', () => {
    const said = printed({}, 'whole').join('\n');
    for (const detail of [well.integrity.detail, 'by syslog-tcp', well.freshness.detail])
      assert.ok(said.includes(detail), detail);
  });
});
