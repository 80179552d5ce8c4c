import assert from 'node:assert/strict';
import { micros } from '#base/clock';
import { Framing } from '#vault/record';
import { fromBytes } from '../../src/index/parse/byte-string.ts';
import { parseLine } from '../../src/index/parse/parse.ts';
import { utc } from '../../src/index/parse/timestamp.ts';
import { joinChunks } from '../../src/receive/gelf/chunks.ts';
import { cutEntries } from '../../src/receive/over-http/journal.ts';
import { bodyMemory, growing } from '../../src/receive/over-http/memory.ts';
import { walkOwnFrames } from '../../src/receive/own/frame.ts';
import { cutRelp } from '../../src/receive/relp/framing.ts';
import type { Joined } from '../../src/receive/syslog/udp.ts';
import { carryBudget, cutFrames, nulTrailer, type FrameRun } from '../../src/receive/syslog/framing.ts';
import { linesOf } from '../../src/receive/testing/stored.ts';
import { grammar } from './grammar.ts';
import type { Random } from './random.ts';

/** Something that takes a stranger's bytes. */
export type Target = {
  /** What kind of answer that is: a new one is new ground. */
  shape(read: readonly string[]): string;
  make(random: Random): Buffer;
  /** What it makes of the bytes, cut as they are here. It must not depend on the cuts. */
  read(chunks: readonly Buffer[]): string[];
  /** Fails where the records are not what was sent. */
  judge?(input: Buffer, read: readonly string[]): void;
};

const budget = () => carryBudget(65_536, 1 << 20);

/** Runs as lines, so that two ways of cutting runs are the same. */
const collector = () => {
  const lines: string[] = [];
  const bytes: Buffer[] = [];
  return {
    lines,
    emit({ framing, flags, pieces, length }: FrameRun): void {
      const raw = Buffer.concat(pieces);
      assert.equal(raw.length, length, 'a run says another length than it has');
      bytes.push(raw);
      for (const line of linesOf({ framing, flags, raw, sequence: 0 }))
        lines.push(`${framing} ${line.flags} ${line.raw.toString('latin1')}`);
    },
    done: (): string[] => [...lines, `= ${Buffer.concat(bytes).toString('latin1')}`],
  };
};

/** Framing, flags and how many: not what is in the lines. */
const shape = (read: readonly string[]): string =>
  linesAmong(read)
    .map((line) => `${line.slice(0, 4).replace(/\d/g, '0')}${line.length === 4 ? 'empty' : ''}`)
    .join(' ')
    .slice(0, 60) + read[0]?.slice(0, 8);

/** Without the bytes between lines: empty lines may go out with a run, or stay behind. */
export const linesAmong = (read: readonly string[]): string[] => read.filter((one) => !one.startsWith('= '));

const without = (text: string, byte: string): string => text.split(byte).join('');
const storedIn = (read: readonly string[]): string => (read.at(-1) ?? '').slice(2);

/** What is not framing is stored, once and in order. LF beside frames is framing, and may come between any two. */
const nothingButLineFeedsIsMissing = (input: Buffer, read: readonly string[]): void =>
  assert.equal(without(storedIn(read), '\n'), without(input.toString('latin1'), '\n'));

/** Datagrams that follow one another, each after its length. */
const datagramsOf = (bytes: Buffer): Buffer[] => {
  const found: Buffer[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const length = bytes.readUInt16BE(at);
    found.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return found;
};

const isChunk = (datagram: Buffer): boolean => {
  const [number = 0, count = 0] = datagram.subarray(10, 12);
  return (
    datagram.length >= 12 && datagram[0] === 0x1e && datagram[1] === 0x0f && count <= 128 && number < count
  );
};

export const targets: Record<string, Target> = {
  syslog: {
    shape,
    make: grammar.syslog,
    read(chunks) {
      const { emit, done } = collector();
      let lost = 0;
      const cutter = cutFrames(budget(), emit, () => (lost += 1));
      for (const chunk of chunks) cutter.push(Buffer.from(chunk));
      cutter.end();
      return [`lost ${lost}`, ...done()];
    },
    judge: nothingButLineFeedsIsMissing,
  },
  gelf: {
    shape,
    make: grammar.gelf,
    read(chunks) {
      const { emit, done } = collector();
      const cutter = cutFrames(budget(), emit, () => undefined, nulTrailer);
      for (const chunk of chunks) cutter.push(Buffer.from(chunk));
      cutter.end();
      return done();
    },
    judge: (input, read) => assert.equal(storedIn(read), input.toString('latin1')),
  },
  chunks: {
    shape: (read) =>
      read
        .map((one) => one.slice(0, 2))
        .join('')
        .slice(0, 40),
    make: grammar.chunks,
    read(chunks) {
      const lines: string[] = [];
      const put = ({ pieces, flags }: Joined): void =>
        void lines.push(`${flags} ${Buffer.concat(pieces).toString('latin1')}`);
      const joiner = joinChunks({ elapsed: () => 0 }, put);
      for (const datagram of datagramsOf(Buffer.concat(chunks))) {
        const joined = joiner.take(datagram, 'fuzz');
        if (joined !== null) put(joined);
      }
      joiner.stop();
      return lines;
    },
    // Whatever it says of itself, what came is in something that is stored.
    judge(input, read) {
      const stored = read.map((one) => one.slice(one.indexOf(' ') + 1));
      for (const datagram of datagramsOf(input)) {
        const share = (isChunk(datagram) ? datagram.subarray(12) : datagram).toString('latin1');
        assert.ok(
          stored.some((one) => one.includes(share)),
          'a datagram is gone',
        );
      }
    },
  },
  relp: {
    shape,
    make: grammar.relp,
    read(chunks) {
      const { emit, lines } = collector();
      const said: string[] = [];
      let next = 0;
      const cutter = cutRelp(budget(), {
        frames(run, first, count) {
          // Numbers follow one another, whatever the runs.
          if (count > 0 && next !== 0) assert.ok(first >= next, `${first} after ${next - 1}`);
          next = first + count;
          emit(run);
        },
        most: () => 1000,
        command: (txnr, name, data) => lines.push(`${txnr} ${name} ${data}`),
        violation: (txnr) => said.push(`violation at ${txnr}`),
      });
      for (const chunk of chunks) cutter.push(Buffer.from(chunk));
      const unfinished = cutter.end('cut');
      return [...lines, ...said, `unfinished ${unfinished}`];
    },
  },
  own: {
    shape,
    make: grammar.own,
    read(chunks) {
      let held = Buffer.alloc(0);
      const ends: string[] = [];
      let taken = 0;
      for (const chunk of chunks) {
        held = Buffer.concat([held, chunk]);
        const walk = walkOwnFrames(held);
        if (walk.end > 0) {
          for (const { sequence, raw } of linesOf({
            framing: Framing.own,
            flags: 0,
            sequence: 0,
            raw: held.subarray(0, walk.end),
          }))
            ends.push(`${sequence} ${raw.toString('latin1')}`);
          taken += walk.end;
          held = held.subarray(walk.end);
        }
        if (walk.fault !== null) return [...ends, `fault after ${taken}`];
        assert.ok(walk.wanted === 0 || walk.wanted > held.length, 'it waits for bytes that are there');
      }
      return [...ends, `${taken} taken`];
    },
  },
  journal: {
    shape,
    make: grammar.journal,
    read(chunks) {
      const { emit, done } = collector();
      const cutter = cutEntries(growing(bodyMemory(1 << 22), 'fuzz'), 1 << 20, emit, () => undefined);
      for (const chunk of chunks) cutter.push(Buffer.from(chunk));
      cutter.complete();
      return done();
    },
    judge: nothingButLineFeedsIsMissing,
  },
  parser: {
    shape(read) {
      const { confidence, guessed, facility, fields, claimed, host, app } = JSON.parse(read[0] ?? '{}');
      return [confidence, guessed, facility, fields.length, claimed === null, host === '', app === ''].join(
        ' ',
      );
    },
    make: grammar.line,
    read(chunks) {
      const raw = fromBytes(Buffer.concat(chunks));
      const context = { received: micros(1_778_554_800_000_000), local: utc };
      const parsed = parseLine(raw, null, context);
      const { messageStart, messageEnd, fields, confidence } = parsed;
      assert.ok(
        0 <= messageStart && messageStart <= messageEnd && messageEnd <= raw.length,
        'the message is no slice',
      );
      assert.equal(fields.length % 2, 0, 'a field without a value');
      assert.ok(confidence >= 0 && confidence <= 100);
      return [JSON.stringify(parsed)];
    },
  },
};
