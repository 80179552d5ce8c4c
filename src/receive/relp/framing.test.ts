import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Flag } from '#vault/record';
import { linesOf, type StoredLine } from '../testing/stored.ts';
import { carryBudget, type FrameRun } from '../syslog/framing.ts';
import { cutRelp } from './framing.ts';

const MiB = 1024 * 1024;

type Cut = {
  runs: FrameRun[];
  /** First number and count of each run that ends frames. */
  ended: [number, number][];
  lines: StoredLine[];
  commands: string[];
  violations: string[];
  isTorn: boolean;
  carried: number;
};

const cut = (
  chunks: readonly (Buffer | string)[],
  { maxLine = MiB, most = Infinity, how = 'cut' as 'cut' | 'goodbye' } = {},
): Cut => {
  const budget = carryBudget(maxLine, 64 * MiB);
  const runs: FrameRun[] = [];
  const ended: [number, number][] = [];
  const commands: string[] = [];
  const violations: string[] = [];
  const cutter = cutRelp(budget, {
    frames(run, first, count) {
      runs.push(run);
      if (count > 0) ended.push([first, count]);
    },
    most: () => most,
    command: (txnr, name, data) => void commands.push(`${txnr} ${name} ${data}`),
    violation: (txnr, why) => void violations.push(`${txnr} ${why}`),
  });
  for (const chunk of chunks) cutter.push(Buffer.from(chunk));
  const isTorn = cutter.end(how);
  const lines = runs.flatMap(({ framing, flags, pieces, length }) => {
    const raw = Buffer.concat(pieces);
    assert.equal(raw.length, length);
    return linesOf({ raw, framing, flags, sequence: 0 });
  });
  return { runs, ended, lines, commands, violations, isTorn, carried: budget.carried };
};

const texts = (lines: readonly StoredLine[]): string[] => lines.map(({ raw }) => raw.toString('latin1'));

const frame = (txnr: number, data: string, command = 'syslog'): string =>
  `${txnr} ${command} ${data.length}${data === '' ? '' : ` ${data}`}\n`;

const inTwo = (bytes: Buffer): Buffer[][] =>
  Array.from({ length: bytes.length + 1 }, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)]);

const byteByByte = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.from([byte]));

describe('RELP framing', () => {
  const offers = 'relp_version=0\ncommands=syslog';
  const wire = Buffer.from(
    frame(1, offers, 'open') +
      frame(2, '<13>one') +
      frame(3, '<13>t\0w\xffo\n4 syslog 1 x\n') +
      frame(4, '') +
      frame(5, '', 'unknown') +
      frame(6, '<13>six') +
      frame(7, '', 'close'),
    'latin1',
  );

  it('tells frames apart wherever the stream is split, and what a line holds is not looked at', () => {
    for (const chunks of [[wire], ...inTwo(wire), byteByByte(wire)]) {
      const { lines, ended, commands, violations, isTorn, carried } = cut(chunks);
      assert.deepEqual(texts(lines), ['<13>one', '<13>t\0w\xffo\n4 syslog 1 x\n', '', '<13>six']);
      assert.ok(lines.every(({ flags }) => flags === 0));
      assert.deepEqual(
        ended.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i)),
        [2, 3, 4, 6],
      );
      assert.deepEqual(commands, [`1 open ${offers}`, '5 unknown ', '7 close ']);
      assert.deepEqual([violations, isTorn, carried], [[], false, 0]);
    }
  });

  it('puts neighbours out as one run, uncopied, and cuts it where it is told to', () => {
    const bytes = Buffer.from(frame(1, 'a') + frame(2, 'b') + frame(3, 'c'));
    const whole = cut([bytes]);
    assert.deepEqual(whole.ended, [[1, 3]]);
    assert.deepEqual(cut([bytes], { most: 2 }).ended, [
      [1, 2],
      [3, 1],
    ]);
    for (const chunks of [...inTwo(bytes), byteByByte(bytes)]) {
      const { ended, lines } = cut(chunks, { most: 1 });
      assert.deepEqual(
        ended,
        [1, 2, 3].map((txnr) => [txnr, 1]),
      );
      assert.deepEqual(texts(lines), ['a', 'b', 'c']);
    }
  });

  it('puts a 5 MiB message out in parts that make the same one again, and ends it once', () => {
    const long = 'abcdefghijk'.repeat((5 * MiB) / 11);
    const bytes = Buffer.from(frame(1, 'before') + frame(2, long) + frame(3, 'after'));
    for (const step of [65_536, 100_001]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / step) }, (_, i) =>
        bytes.subarray(i * step, (i + 1) * step),
      );
      const { lines, ended, carried } = cut(chunks);
      const parts = lines.slice(1, -1);
      assert.ok(parts.length >= 5);
      assert.equal(parts.map(({ raw }) => raw.toString()).join('') === long, true);
      assert.ok(parts.every(({ raw, flags }) => raw.length <= MiB && (flags & Flag.part) !== 0));
      assert.equal(parts.at(-1)?.flags, Flag.part | Flag.lastPart);
      assert.deepEqual([texts(lines)[0], texts(lines).at(-1)], ['before', 'after']);
      assert.deepEqual(
        ended.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i)),
        [1, 2, 3],
      );
      assert.equal(carried, 0);
    }
  });

  it('splits at the limit exactly, and no message of the limit’s size', () => {
    const limit = 65_536;
    for (const length of [limit - 1, limit, limit + 1, 2 * limit, 2 * limit + 1]) {
      const data = 'x'.repeat(length);
      const { lines, ended } = cut(
        [Buffer.from(frame(1, data)).subarray(0, 20), Buffer.from(frame(1, data)).subarray(20)],
        { maxLine: limit },
      );
      assert.equal(texts(lines).join('') === data, true);
      assert.equal(lines.length, Math.ceil(length / limit));
      assert.deepEqual(ended, [[1, 1]]);
    }
  });

  it('stores what a cut connection left of a message, flagged torn and not ended; after a goodbye it does not', () => {
    const bytes = frame(1, 'whole') + frame(2, 'unfinished').slice(0, -6);
    const torn = cut([bytes]);
    assert.deepEqual(texts(torn.lines), ['whole', 'unfin']);
    assert.deepEqual(
      torn.lines.map(({ flags }) => flags),
      [0, Flag.torn],
    );
    assert.deepEqual([torn.ended, torn.isTorn, torn.carried], [[[1, 1]], true, 0]);
    assert.deepEqual(texts(cut([bytes], { how: 'goodbye' }).lines), ['whole']);
    for (const header of ['2', '2 sys', '2 syslog 5', '2 syslog 5 ']) {
      const { lines, isTorn } = cut([frame(1, 'a rather longer message') + header]);
      assert.deepEqual([texts(lines), isTorn], [['a rather longer message'], true]);
    }
    const parts = cut([`1 syslog 900000000 ${'y'.repeat(200_000)}`], { maxLine: 65_536 });
    assert.equal(texts(parts.lines).join('').length, 200_000);
    assert.equal(parts.lines.at(-1)?.flags, Flag.part | Flag.lastPart | Flag.torn);
    assert.deepEqual(parts.ended, []);
  });

  it('stops at what is no RELP, after what was', () => {
    const bad = {
      '<13>plain syslog\n': 'no frame header where one was due',
      '1234567890 syslog 1 x\n': 'no frame header where one was due',
      '2 sys-log 1 x\n': 'no frame header where one was due',
      '2 syslog 1234567890 x\n': 'no frame header where one was due',
      '2 syslog 5\n': 'no frame header where one was due',
      ' syslog 1 x\n': 'no frame header where one was due',
      '2  1 x\n': 'no frame header where one was due',
      '2 syslog 1 xy\n': 'no trailer where one was due',
      '3 syslog 1 x\n': 'transaction number 3 where 2 was due',
      '0 syslog 1 x\n': 'transaction number 0 where 2 was due',
      '2 other 999999999 x': '999999999 bytes of data for a command that takes 16384 at most',
    };
    for (const [bytes, why] of Object.entries(bad)) {
      for (const chunks of [[frame(1, 'good') + bytes], byteByByte(Buffer.from(frame(1, 'good') + bytes))]) {
        const { lines, violations } = cut([...chunks, frame(2, 'unheard')]);
        assert.deepEqual(texts(lines), ['good'], bytes);
        assert.equal(violations.length, 1, bytes);
        assert.match(violations[0] ?? '', new RegExp(`^[23] ${why}$`), bytes);
      }
    }
  });
});
