import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Flag, Framing } from '#vault/record';
import { linesOf } from '../testing/stored.ts';
import type { FrameRun } from '../syslog/framing.ts';
import { cutEntries } from './journal.ts';
import { bodyMemory, growing } from './memory.ts';

const binary = (name: string, value: Buffer): Buffer => {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, value, Buffer.from('\n')]);
};

type Found = { raw: string; flags: number };

/** @returns lines as they come out, parts and all, and how often there was said to be no entry */
const cut = (chunks: Buffer[], how: 'complete' | 'torn' = 'complete', longest = 1e6, memory = 1e7) => {
  const lines: Found[] = [];
  let complaints = 0;
  const held = growing(bodyMemory(memory), 'a');
  const take = ({ flags, pieces, framing }: FrameRun): void => {
    assert.equal(framing, Framing.journal);
    for (const { raw } of linesOf({ raw: Buffer.concat(pieces), flags, framing, sequence: 0 }))
      lines.push({ raw: raw.toString('latin1'), flags });
  };
  const cutter = cutEntries(held, longest, take, () => (complaints += 1));
  for (const chunk of chunks) cutter.push(chunk);
  if (how === 'complete') cutter.complete();
  else cutter.end();
  return { lines, complaints, left: held.length };
};

const good = Buffer.concat([
  Buffer.from('__CURSOR=s=1\nMESSAGE=one\n\n'),
  Buffer.from('__CURSOR=s=2\n'),
  binary('MESSAGE', Buffer.from('two\n\nlines\0\xff', 'latin1')),
  binary('EMPTY', Buffer.alloc(0)),
  Buffer.from('_PID=1\n\n\n'),
  Buffer.from('A=\n\n'),
]);
const entries = [
  '__CURSOR=s=1\nMESSAGE=one\n',
  `__CURSOR=s=2\n${binary('MESSAGE', Buffer.from('two\n\nlines\0\xff', 'latin1')).toString('latin1')}${binary('EMPTY', Buffer.alloc(0)).toString('latin1')}_PID=1\n`,
  'A=\n',
];
const hostile: Record<string, string> = {
  'a line that is no field': 'A=1\nno field\n',
  'a length that lies': 'A=1\nB\n\x03\0\0\0\0\0\0\0abcdef\nC=1\n',
  'a length beyond all bounds': 'B\n\xff\xff\xff\xff\xff\xff\xff\xffabc\n',
  'a name without an end': `${'N'.repeat(300)}\nA=1\n`,
  'an entry of nothing but NUL': `${'\0'.repeat(20)}\n`,
};

describe('cutting a journal at its entries', () => {
  it('finds the same entries however the bytes come', () => {
    for (let size = 1; size <= good.length; size += 1) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < good.length; at += size) chunks.push(good.subarray(at, at + size));
      const { lines, complaints, left } = cut(chunks);
      assert.deepEqual(
        lines,
        entries.map((raw) => ({ raw, flags: 0 })),
        `in chunks of ${size}`,
      );
      assert.equal(complaints, 0);
      assert.equal(left, 0);
    }
  });

  it('an entry at the end of a body may lack its empty line; one that is cut off is torn', () => {
    assert.deepEqual(cut([Buffer.from('A=1\nB=2\n')]).lines, [{ raw: 'A=1\nB=2\n', flags: 0 }]);
    assert.deepEqual(cut([Buffer.from('A=1\nB=2')]).lines, [{ raw: 'A=1\nB=2', flags: Flag.torn }]);
    assert.deepEqual(cut([Buffer.from('A=1\n\nB=2\n')], 'torn').lines, [
      { raw: 'A=1\n', flags: 0 },
      { raw: 'B=2\n', flags: Flag.torn },
    ]);
  });

  for (const [what, text] of Object.entries(hostile)) {
    it(`${what} is stored as torn, and the entries after it are entries`, () => {
      const bad = Buffer.from(text, 'latin1');
      const body = Buffer.concat([good, bad, Buffer.from('\n'), good]);
      for (let size = 1; size <= body.length; size += 1) {
        const chunks: Buffer[] = [];
        for (let at = 0; at < body.length; at += size) chunks.push(body.subarray(at, at + size));
        const { lines, complaints } = cut(chunks);
        assert.equal(complaints, 1, `in chunks of ${size}`);
        assert.deepEqual(
          lines.filter(({ flags }) => flags === 0).map(({ raw }) => raw),
          [...entries, ...entries],
          `in chunks of ${size}`,
        );
        const torn = lines.filter(({ flags }) => flags !== 0);
        assert.ok(torn.every(({ flags }) => (flags & Flag.torn) !== 0));
        assert.equal(torn.map(({ raw }) => raw).join(''), text, `in chunks of ${size}`);
      }
    });
  }

  it('puts a long entry out in parts, and one for which there is no memory', () => {
    const long = `A=1\nMESSAGE=${'x'.repeat(50_000)}\nB=2\n`;
    const body = Buffer.from(`C=3\n\n${long}\nD=4\n\n`);
    const chunks: Buffer[] = [];
    for (let at = 0; at < body.length; at += 1000) chunks.push(body.subarray(at, at + 1000));
    for (const { lines } of [cut(chunks, 'complete', 10_000), cut(chunks, 'complete', 1e6, 10_000)]) {
      const parts = lines.filter(({ flags }) => (flags & Flag.part) !== 0);
      assert.ok(parts.length > 2);
      // The empty line that ends the entry is in its last part: a part is not looked at again.
      assert.equal(parts.map(({ raw }) => raw).join(''), `${long}\n`);
      assert.equal(parts.at(-1)?.flags, Flag.part | Flag.lastPart);
      assert.deepEqual(
        lines.filter(({ flags }) => flags === 0).map(({ raw }) => raw),
        ['C=3\n', 'D=4\n'],
      );
    }
  });

  it('loses no byte of random ones', () => {
    let state = 7;
    const random = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((state / 2 ** 31) * below);
    };
    const pieces = [
      ...entries.map((entry) => Buffer.from(`${entry}\n`, 'latin1')),
      ...Object.values(hostile).map((text) => Buffer.from(text, 'latin1')),
    ];
    for (let round = 0; round < 3000; round += 1) {
      const body = Buffer.concat(
        Array.from({ length: 1 + random(8) }, () => pieces[random(pieces.length)] ?? good),
      );
      for (let n = random(4); n > 0; n -= 1) body[random(body.length)] = random(256);
      const chunks: Buffer[] = [];
      for (let at = 0; at < body.length;) {
        const size = 1 + random(60);
        chunks.push(body.subarray(at, at + size));
        at += size;
      }
      const { lines } = cut(chunks, round % 2 === 0 ? 'complete' : 'torn', 100);
      const all = lines
        .map(({ raw }) => raw)
        .join('')
        .replaceAll('\n', '');
      assert.equal(all, body.toString('latin1').replaceAll('\n', ''), `round ${round}`);
    }
  });
});
