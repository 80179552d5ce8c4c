import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Framing } from '#vault/record';
import { segmentPath } from '#vault/tree';
import { delivery, openTest, summary, vaultFor, type TestVault } from '../testing/test-vault.ts';
import { newNumbering } from './numbering.ts';

const numbered = (sequence: number, count: number, stream = 'agent-1'): Buffer =>
  delivery('line\n'.repeat(count), { sequence, stream, peer: 'agent' });

const keep = async (made: TestVault, ...deliveries: Buffer[]): Promise<void> => {
  made.receive(...deliveries);
  await made.keep();
};

/** One line of Holdfast's own. */
const own = (body: Record<string, unknown>): Buffer => {
  const meta = Buffer.from(JSON.stringify({ via: 'self', host: 'gull' }));
  const raw = Buffer.from(JSON.stringify(body));
  const frame = Buffer.alloc(10);
  frame.writeBigUInt64BE(1n);
  frame.writeUInt16BE(meta.length, 8);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(raw.length);
  return delivery(Buffer.concat([frame, meta, length, raw]), {
    framing: Framing.own,
    listener: 'own',
    peer: 'receiver',
    stream: 'receiver-1',
    sequence: 1,
  });
};

describe('the verdict on completeness', () => {
  it('is complete where every sender numbers its lines and no number is missing', async (t) => {
    const made = vaultFor(t);
    await keep(made, numbered(1, 3), numbered(1, 2, 'agent-2'));
    await keep(made, numbered(4, 2), numbered(2, 3));
    const { completeness } = await made.verify();
    assert.equal(completeness.verdict, 'complete');
    assert.match(completeness.detail, /no number is missing up to the newest of 2 streams/);
  });

  it('names the numbers that never came, and when', async (t) => {
    const made = vaultFor(t);
    await keep(made, numbered(3, 2));
    await keep(made, numbered(8, 1), numbered(7, 1));
    const { completeness } = await made.verify();
    assert.equal(completeness.verdict, 'known gaps');
    const time = '2026-05-12T03:00:00.000001Z';
    assert.deepEqual(completeness.gaps, [
      { sender: 'agent-1', cause: 'never came', count: 2, first: 1, last: 2, from: null, until: time },
      { sender: 'agent-1', cause: 'never came', count: 2, first: 5, last: 6, from: time, until: time },
    ]);
  });

  it('is unknown where a sender does not number, and names it', async (t) => {
    const made = vaultFor(t);
    await keep(made, numbered(1, 1), delivery('plain\n'));
    const { completeness } = await made.verify();
    assert.equal(completeness.verdict, 'unknown');
    assert.match(completeness.unknown[0] ?? '', /do not number their lines: 192\.0\.2\.7 by syslog-tcp=/);
  });

  it('counts losses that were put into words', async (t) => {
    const made = vaultFor(t);
    const loss = { kind: 'loss', cause: 'kernel udp drop', listener: 'syslog-udp=:514' };
    await keep(
      made,
      own({ ...loss, count: 3, since: '2026-05-12T02:59:00.000000Z', until: '2026-05-12T02:59:01.000000Z' }),
    );
    await keep(made, delivery('{"kind":"loss","count":9,"cause":"said by a stranger"}\n'));
    const { completeness } = await made.verify();
    assert.deepEqual(completeness.gaps, [
      {
        sender: 'syslog-udp=:514',
        cause: 'kernel udp drop',
        count: 3,
        first: null,
        last: null,
        from: '2026-05-12T02:59:00.000000Z',
        until: '2026-05-12T02:59:01.000000Z',
      },
    ]);
  });

  it('does not take for a gap what expired, and says that it did', async (t) => {
    const made = vaultFor(t);
    await keep(made, numbered(1, 3));
    await keep(made, numbered(4, 3));
    await keep(made, numbered(7, 1));
    const appender = await openTest(made);
    const entries = { first: 0, end: 4 };
    await appender.commit(
      [{ kind: 'expire', entry: { entries, class: 'default', policy: 'older-than-1d', by: 'a tester' } }],
      '',
    );
    appender.close();
    for (const entry of [1, 3]) rmSync(join(made.vault, segmentPath(entry)));
    const report = await made.verify();
    assert.equal(summary(report), '');
    assert.deepEqual(report.completeness.gaps, []);
    assert.equal(report.completeness.verdict, 'unknown');
    assert.match(report.completeness.detail, /1 gap in numbers may be what expired/);
    assert.deepEqual(
      report.completeness.removed.map(({ first, end, lines, under }) => [first, end, lines, under]),
      [
        [1, 2, 3, 6],
        [3, 4, 3, 6],
      ],
    );
  });
});

describe('the verdict on completeness after an expiry', () => {
  it('is unknown also where all that expired came from senders that do not number', async (t) => {
    const made = vaultFor(t);
    await keep(made, delivery('one\ntwo\n'));
    const appender = await openTest(made);
    const entries = { first: 0, end: 2 };
    await appender.commit(
      [{ kind: 'expire', entry: { entries, class: 'default', policy: 'older-than-1d', by: 'a tester' } }],
      '',
    );
    appender.close();
    rmSync(join(made.vault, segmentPath(1)));
    const { completeness, lines } = await made.verify();
    assert.equal(completeness.verdict, 'unknown');
    assert.match(completeness.detail, /^no lines are left; what was missing from the 2 lines that expired/);
    assert.deepEqual([lines, completeness.removed.map((removed) => removed.lines)], [0, [2]]);
  });
});

describe('numbering', () => {
  it('agrees with a set of all numbers, whatever the order', () => {
    const numbering = newNumbering();
    const known = new Set<number>();
    let state = 7;
    for (let round = 0; round < 3000; round++) {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      const first = 1 + ((state >> 8) % 900);
      const last = first + ((state >> 4) % 3);
      numbering.add(round, { stream: 's', first, last, from: first, until: last });
      for (let at = first; at <= last; at++) known.add(at);
      if (round % 100 !== 0) continue;
      const missing = [...numbering.holes(true)].flatMap((hole) =>
        Array.from({ length: hole.last - hole.first + 1 }, (_, i) => hole.first + i),
      );
      const newest = Math.max(...known);
      const expected = Array.from({ length: newest }, (_, i) => i + 1).filter((number) => !known.has(number));
      assert.deepEqual(missing, expected);
    }
  });

  it('keeps a bounded number of streams and holes in mind, and says how many it does not', () => {
    const numbering = newNumbering(10);
    for (let i = 0; i < 20; i++) numbering.add(i, { stream: `s${i}`, first: 1, last: 1, from: 0, until: 0 });
    for (let i = 2; i < 20; i += 2)
      numbering.add(i, { stream: 's0', first: i + 1, last: i + 1, from: 0, until: 0 });
    assert.equal(numbering.streams(), 10);
    assert.equal(numbering.forgotten(), 19);
  });
});
