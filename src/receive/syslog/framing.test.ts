import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Flag, Framing } from '#vault/record';
import { linesOf, type StoredLine } from '../testing/stored.ts';
import { carryBudget, cutFrames, type FrameRun } from './framing.ts';

const MiB = 1024 * 1024;

type Cut = { runs: FrameRun[]; lines: StoredLine[]; lost: number; carried: number };

/** Sends the chunks through a cutter, ends the connection, and takes the runs apart again. */
const cut = (chunks: readonly (Buffer | string)[], maxLine = MiB): Cut => {
  const runs: FrameRun[] = [];
  const budget = carryBudget(maxLine, 64 * MiB);
  let lost = 0;
  const cutter = cutFrames(
    budget,
    (run) => runs.push(run),
    () => {
      lost += 1;
    },
  );
  for (const chunk of chunks) cutter.push(Buffer.from(chunk));
  cutter.end();
  const lines = runs.flatMap(({ framing, flags, pieces, length }) => {
    const raw = Buffer.concat(pieces);
    assert.equal(raw.length, length);
    return linesOf({ raw, framing, flags, sequence: 0 });
  });
  return { runs, lines, lost, carried: budget.carried };
};

const texts = (lines: readonly StoredLine[]): string[] => lines.map(({ raw }) => raw.toString('latin1'));

const inTwo = (bytes: Buffer): Buffer[][] =>
  Array.from({ length: bytes.length + 1 }, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)]);

const byteByByte = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.from([byte]));

const count = (frame: string): string => `${Buffer.byteLength(frame)} ${frame}`;

describe('newline framing', () => {
  it('keeps every byte but the LF, wherever the stream is split', () => {
    const wire = Buffer.from('<13>one\n<14>t\0w\xffo\r\n\n<15>three\n', 'latin1');
    for (const chunks of [...inTwo(wire), byteByByte(wire)]) {
      const { lines, lost, carried } = cut(chunks);
      assert.deepEqual(texts(lines), ['<13>one', '<14>t\0w\xffo\r', '', '<15>three']);
      assert.ok(lines.every(({ flags }) => flags === 0));
      assert.equal(lost, 0);
      assert.equal(carried, 0);
    }
  });

  it('stores a whole chunk as one run', () => {
    assert.equal(cut(['<13>a\n<13>b\n<13>c\n']).runs.length, 1);
  });

  it('stores what the connection ends with, flagged torn', () => {
    const { lines } = cut(['<13>whole\n<13>to', 'rn']);
    assert.deepEqual(texts(lines), ['<13>whole', '<13>torn']);
    assert.deepEqual(
      lines.map(({ flags }) => flags),
      [0, Flag.torn],
    );
  });

  it('takes text that merely begins with digits for newline framing', () => {
    const wire = Buffer.from('2026 was a year\n12\n0 <13>zero\n1234567890 <13>ten digits\n');
    for (const chunks of [...inTwo(wire), byteByByte(wire)]) {
      const { lines, runs } = cut(chunks);
      assert.deepEqual(texts(lines), ['2026 was a year', '12', '0 <13>zero', '1234567890 <13>ten digits']);
      assert.ok(runs.every(({ framing }) => framing === Framing.newline));
    }
    assert.deepEqual(texts(cut(['12']).lines), ['12']);
  });

  it('puts a 5 MiB line out in parts that make the same line again', () => {
    const long = Buffer.alloc(5 * MiB, 'abcdefghijk');
    const wire = Buffer.concat([Buffer.from('<13>before\n'), long, Buffer.from('\n<13>after\n')]);
    for (const step of [65_536, 100_001, wire.length]) {
      const chunks = Array.from({ length: Math.ceil(wire.length / step) }, (_, i) =>
        wire.subarray(i * step, (i + 1) * step),
      );
      const { lines, carried } = cut(chunks);
      // One read that holds all of it is cut like any other: what is whole is not measured.
      const parts = lines.slice(1, -1);
      assert.deepEqual(Buffer.concat(parts.map(({ raw }) => raw)), long);
      assert.equal(lines[0]?.raw.toString(), '<13>before');
      assert.equal(lines.at(-1)?.raw.toString(), '<13>after');
      assert.equal(carried, 0);
      if (step === wire.length) continue;
      assert.ok(parts.length >= 5);
      assert.ok(parts.every(({ raw }) => raw.length <= MiB));
      assert.ok(parts.slice(0, -1).every(({ flags }) => flags === Flag.part));
      assert.equal(parts.at(-1)?.flags, Flag.part | Flag.lastPart);
    }
  });

  it('ends a line in parts as torn when the connection does', () => {
    const long = Buffer.alloc(200_000, 'x');
    const { lines } = cut(
      [long.subarray(0, 65_536), long.subarray(65_536, 131_072), long.subarray(131_072)],
      65_536,
    );
    assert.deepEqual(Buffer.concat(lines.map(({ raw }) => raw)), long);
    assert.equal(lines.at(-1)?.flags, Flag.part | Flag.lastPart | Flag.torn);
  });

  it('holds no more of unfinished lines than the budget when many connections send none but those', () => {
    const budget = carryBudget(MiB, MiB);
    const stored: number[] = [];
    const cutters = Array.from({ length: 100 }, () =>
      cutFrames(budget, ({ length }) => stored.push(length), assert.fail),
    );
    for (let round = 0; round < 20; round += 1)
      for (const cutter of cutters) cutter.push(Buffer.alloc(65_536, 'x'));
    assert.ok(budget.carried <= MiB + 65_536 + 100 * 8192, `${budget.carried} bytes held`);
    for (const cutter of cutters) cutter.end();
    assert.equal(
      stored.reduce((sum, length) => sum + length, 0),
      20 * 100 * 65_536,
    );
    assert.equal(budget.carried, 0);
  });
});

describe('octet counting', () => {
  it('keeps frames with LF and NUL in them, wherever the stream is split', () => {
    const frames = ['<13>one\ntwo\n', '<14>\0\xff', '<15>3 <16>', `<16>${'x'.repeat(120)}`];
    const wire = Buffer.from(frames.map((frame) => `${frame.length} ${frame}`).join(''), 'latin1');
    for (const chunks of [...inTwo(wire), byteByByte(wire)]) {
      const { lines, runs, lost, carried } = cut(chunks);
      assert.deepEqual(texts(lines), frames);
      assert.ok(runs.every(({ framing, flags }) => framing === Framing.octetCounted && flags === 0));
      assert.equal(lost, 0);
      assert.equal(carried, 0);
    }
  });

  it('takes a single LF between frames as framing', () => {
    const wire = Buffer.from(`${count('<13>one')}\n${count('<13>two')}\n`);
    for (const chunks of [...inTwo(wire), byteByByte(wire)]) {
      const { lines, lost } = cut(chunks);
      assert.deepEqual(texts(lines), ['<13>one', '<13>two']);
      assert.equal(lost, 0);
    }
  });

  it('stores an unfinished frame as torn, and an unfinished count as a torn line', () => {
    const torn = cut([`${count('<13>one')}100 <13>tw`]);
    assert.deepEqual(texts(torn.lines), ['<13>one', '<13>tw']);
    assert.equal(torn.lines[1]?.flags, Flag.torn);
    assert.equal(torn.runs[1]?.framing, Framing.octetCounted);

    const header = cut([`${count('<13>one')}10`]);
    assert.deepEqual(texts(header.lines), ['<13>one', '10']);
    assert.equal(header.lines[1]?.flags, Flag.torn);
    assert.equal(header.runs[1]?.framing, Framing.newline);
  });

  it('goes on with newline framing where a count that was too small leaves it, and says so once', () => {
    const wire = Buffer.from(`${count('<13>one')}5 <13>two three\n${count('<13>four')}\nfive\n`);
    for (const chunks of [...inTwo(wire), byteByByte(wire)]) {
      const { lines, lost, runs } = cut(chunks);
      assert.deepEqual(texts(lines), ['<13>one', '<13>t', 'wo three', count('<13>four'), 'five']);
      assert.equal(lost, 1);
      assert.equal(runs.at(-1)?.framing, Framing.newline);
    }
  });

  it('loses no byte to a count that is too large', () => {
    const { lines } = cut(['999999999 <13>one', '\n<13>two\n']);
    assert.deepEqual(texts(lines), ['<13>one\n<13>two\n']);
    assert.equal(lines[0]?.flags, Flag.torn);
  });

  it('loses no byte of random streams', () => {
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
      return seed % below;
    };
    const alphabet = '0123456789 <\nx';
    for (let round = 0; round < 2000; round += 1) {
      const text = `7 <13>abc${Array.from({ length: random(80) }, () => alphabet[random(alphabet.length)]).join('')}`;
      const chunks: string[] = [];
      for (let at = 0; at < text.length;) {
        const length = 1 + random(20);
        chunks.push(text.slice(at, at + length));
        at += length;
      }
      const { runs, lines } = cut(chunks);
      const bytes = Buffer.concat(runs.flatMap(({ pieces }) => pieces)).toString();
      // Only an LF between octet-counted frames may be missing.
      assert.equal(bytes.replaceAll('\n', ''), text.replaceAll('\n', ''));
      assert.deepEqual(texts(lines), texts(cut([text]).lines), `split of ${JSON.stringify(chunks)}`);
    }
  });

  it('puts a 5 MiB frame out in parts that make the same frame again', () => {
    const long = Buffer.alloc(5 * MiB, '<13>with\nline\nfeeds ');
    const wire = Buffer.concat([
      Buffer.from(`${count('<13>a')}${long.length} `),
      long,
      Buffer.from(count('<13>z')),
    ]);
    for (const step of [65_536, 99_999]) {
      const chunks = Array.from({ length: Math.ceil(wire.length / step) }, (_, i) =>
        wire.subarray(i * step, (i + 1) * step),
      );
      const { lines, lost, carried } = cut(chunks);
      const parts = lines.slice(1, -1);
      assert.equal(parts.length, 5);
      assert.deepEqual(Buffer.concat(parts.map(({ raw }) => raw)), long);
      assert.deepEqual(
        parts.map(({ flags }) => flags),
        [...Array.from({ length: 4 }, () => Flag.part), Flag.part | Flag.lastPart],
      );
      assert.deepEqual(texts([lines[0] ?? assert.fail(), lines.at(-1) ?? assert.fail()]), ['<13>a', '<13>z']);
      assert.equal(lost + carried, 0);
    }
  });

  it('ends a frame in parts as torn when the connection does', () => {
    const body = Buffer.alloc(150_000, 'y');
    const { lines } = cut([Buffer.from('200000 <13>'), body], 65_536);
    assert.equal(Buffer.concat(lines.map(({ raw }) => raw)).length, 150_004);
    assert.equal(lines.at(-1)?.flags, Flag.part | Flag.lastPart | Flag.torn);
  });
});
