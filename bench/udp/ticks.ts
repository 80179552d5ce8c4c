import { createReadStream } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Corpus } from '../corpus/corpus.ts';
import { lineOfTime } from '../corpus/line-time.ts';

/** What became of the datagrams of one trial. Good only if `repeated`, `foreign` and `changed` are 0. */
export type Ticks = { stored: number; repeated: number; foreign: number; changed: number };

export type Ticking = {
  /** One line without its LF. */
  line(bytes: Buffer): void;
  /** Lines that each end in LF. @returns how many bytes at the end are no whole line */
  lines(bytes: Buffer): number;
  ticks(): Ticks;
};

/**
 * The CRC-32 of each line of the corpus: of what was lost in part no sum can be compared, so each line is compared by
 * itself.
 */
export const lineChecks = async (corpus: Corpus): Promise<Uint32Array> => {
  const checks = new Uint32Array(corpus.lines);
  const reading = lineReader((line) => (checks[lineNumber(line)] = crc32(line)));
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(corpus.path, { highWaterMark: 1 << 20 })) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    rest = bytes.subarray(bytes.length - reading(bytes));
  }
  return checks;
};

/** Ticks off the first `sent` lines of the corpus. */
export const ticking = (checks: Uint32Array, sent: number): Ticking => {
  const seen = new Uint8Array(sent);
  const found: Ticks = { stored: 0, repeated: 0, foreign: 0, changed: 0 };
  const line = (bytes: Buffer): void => {
    const n = lineNumber(bytes);
    if (!(n >= 0 && n < sent)) found.foreign += 1;
    else if (seen[n] === 1) found.repeated += 1;
    else {
      seen[n] = 1;
      found.stored += 1;
      if (crc32(bytes) !== checks[n]) found.changed += 1;
    }
  };
  return { line, lines: lineReader(line), ticks: () => ({ ...found }) };
};

/** `<PRI>1 TIMESTAMP` */
const lineNumber = (bytes: Buffer): number => lineOfTime(bytes, bytes.indexOf(0x3e) + 3);

const lineReader =
  (line: (bytes: Buffer) => void) =>
  (bytes: Buffer): number => {
    let from = 0;
    for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, from)) {
      line(bytes.subarray(from, at));
      from = at + 1;
    }
    return bytes.length - from;
  };
