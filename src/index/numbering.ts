import { toBytes, type ByteString } from './parse/byte-string.ts';

/** Inclusive range of sequence numbers. */
export type Range = [first: number, last: number];

/** Numbers that never came, of one stream: the lines are missing unless they still come. */
export type Hole = { stream: string; first: number; last: number };

/**
 * Which sequence numbers of which stream are in the index. Senders number from 1 without a hole and repeat what was not
 * acknowledged, so a stream is nearly always one range; a number that came late fills its hole and is no repetition.
 */
export class Numbering {
  private readonly streams: Map<string, Range[]>;

  constructor(streams: Iterable<readonly [string, readonly Range[]]> = []) {
    this.streams = new Map(
      [...streams].map(([stream, ranges]) => [stream, ranges.map(([first, last]) => [first, last])]),
    );
  }

  copy(): Numbering {
    return new Numbering(this.streams);
  }

  entries(): [string, Range[]][] {
    return [...this.streams.entries()];
  }

  /** Takes a number in. @returns false if it was there already */
  admit(stream: string, sequence: number): boolean {
    const ranges = this.streams.get(stream);
    if (ranges === undefined) {
      this.streams.set(stream, [[sequence, sequence]]);
      return true;
    }
    const newest = ranges.at(-1);
    if (newest === undefined || sequence > newest[1]) {
      if (newest !== undefined && sequence === newest[1] + 1) newest[1] = sequence;
      else ranges.push([sequence, sequence]);
      return true;
    }
    return fill(ranges, sequence);
  }

  /** Forgets numbers `first` to `last`: their lines were taken away. */
  remove(stream: string, first: number, last: number): void {
    const left = (this.streams.get(stream) ?? []).flatMap((range): Range[] => {
      if (range[1] < first || range[0] > last) return [range];
      const parts: Range[] = [
        [range[0], first - 1],
        [last + 1, range[1]],
      ];
      return parts.filter(([from, to]) => from <= to);
    });
    if (left.length === 0) this.streams.delete(stream);
    else this.streams.set(stream, left);
  }

  has(stream: string, sequence: number): boolean {
    const ranges = this.streams.get(stream);
    return ranges !== undefined && ranges.some(([first, last]) => first <= sequence && sequence <= last);
  }

  /** The highest number of each stream. */
  newest(): { stream: string; last: number }[] {
    return [...this.streams].map(([stream, ranges]) => ({
      stream: text(stream),
      last: ranges.at(-1)?.[1] ?? 0,
    }));
  }

  holes(): Hole[] {
    const holes: Hole[] = [];
    for (const [stream, ranges] of this.streams) {
      let next = 1;
      for (const [first, last] of ranges) {
        if (first > next) holes.push({ stream: text(stream), first: next, last: first - 1 });
        next = last + 1;
      }
    }
    return holes;
  }
}

const text = (stream: ByteString): string => toBytes(stream).toString('utf8');

/** The slow path: a number below the newest. */
const fill = (ranges: Range[], sequence: number): boolean => {
  const at = ranges.findIndex(([, last]) => sequence <= last);
  const after = ranges[at];
  if (after === undefined || sequence >= after[0]) return false;
  const before = ranges[at - 1];
  const joinsBefore = before !== undefined && before[1] === sequence - 1;
  const joinsAfter = after[0] === sequence + 1;
  if (joinsBefore && joinsAfter) {
    before[1] = after[1];
    ranges.splice(at, 1);
  } else if (joinsBefore) before[1] = sequence;
  else if (joinsAfter) after[0] = sequence;
  else ranges.splice(at, 0, [sequence, sequence]);
  return true;
};
