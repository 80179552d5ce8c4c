import { crc32 } from 'node:zlib';
import { lineOfTime } from './line-time.ts';

/** What became of the corpus's lines somewhere. Good only if `lost`, `repeated`, `foreign` are 0 and none changed. */
export type Count = {
  lines: number;
  lost: number;
  /** How many lines were there more than once. */
  repeated: number;
  /** Lines that are none of the corpus. */
  foreign: number;
  /** The sum of the lines' CRC-32 is not the corpus's: some line's bytes were changed. */
  altered: 'yes' | 'no';
};

export type Tally = {
  /** One line without its LF. */
  line(bytes: Buffer): void;
  /** Lines that each end in LF. @returns how many bytes at the end are no whole line */
  lines(bytes: Buffer): number;
  count(): Count;
  /** Sum of all lines' CRC-32, modulo 2^48. Does not depend on their order. */
  sum(): number;
};

const LF = 0x0a;
const greaterThan = 0x3e;

/** Ticks off every line of a corpus of `expected` lines. @param sum the corpus's own, see `Tally.sum` */
export const tally = (expected: number, sum: number): Tally => {
  const seen = new Uint8Array(expected);
  let lines = 0;
  let repeated = 0;
  let foreign = 0;
  let total = 0;
  const line = (bytes: Buffer): void => {
    lines += 1;
    total = (total + crc32(bytes)) % 2 ** 48;
    // <PRI>1 TIMESTAMP
    const n = lineOfTime(bytes, bytes.indexOf(greaterThan) + 3);
    if (!(n >= 0 && n < expected)) foreign += 1;
    else if (seen[n] === 1) repeated += 1;
    else seen[n] = 1;
  };
  return {
    line,
    lines(bytes) {
      let from = 0;
      for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, from)) {
        line(bytes.subarray(from, at));
        from = at + 1;
      }
      return bytes.length - from;
    },
    count: () => ({
      lines,
      lost: seen.reduce((missing, one) => missing - one, expected),
      repeated,
      foreign,
      altered: total === sum ? 'no' : 'yes',
    }),
    sum: () => total,
  };
};
