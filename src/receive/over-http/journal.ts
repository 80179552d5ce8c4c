import { Flag, Framing } from '#vault/record';
import { walkEntries } from '#vault/intake';
import type { FrameCutter, FrameRun } from '../syslog/framing.ts';
import type { Growing } from './memory.ts';

const LF = 0x0a;
const boundary = Buffer.from('\n\n');

/**
 * Cuts a body in systemd's journal export format at the ends of its entries. Bytes that are no entry go out as torn, up
 * to the next empty line, where an entry may begin again. An entry longer than `longest`, or for which there is no
 * memory, goes out in parts.
 * @param unfinished where what is not yet a whole entry is held
 * @param notAnEntry called for each run of bytes that are none
 */
export const cutEntries = (
  unfinished: Growing,
  longest: number,
  emit: (run: FrameRun) => void,
  notAnEntry: () => void,
): FrameCutter & {
  /** The body is complete. */
  complete(): void;
} => {
  const walker = walkEntries();
  let mode: 'between' | 'entry' | 'lost' = 'between';
  let inParts = false;

  const run = (flags: number, pieces: Buffer[]): void => {
    const filled = pieces.filter((piece) => piece.length > 0);
    const length = filled.reduce((sum, piece) => sum + piece.length, 0);
    if (length > 0) emit({ framing: Framing.journal, flags, pieces: filled, length });
  };

  const held = (): Buffer[] => unfinished.take(unfinished.length);

  /** The last bytes of an entry, or of what is none. */
  const last = (flags: number, bytes: Buffer): void => {
    run(flags | (inParts ? Flag.part | Flag.lastPart : 0), [...held(), bytes]);
    inParts = false;
    mode = 'between';
  };

  const keep = (bytes: Buffer): void => {
    const flags = Flag.part | (mode === 'lost' ? Flag.torn : 0);
    if (unfinished.length + bytes.length <= longest && unfinished.add(bytes)) return;
    inParts = true;
    run(flags, [...held(), Buffer.from(bytes)]);
  };

  /** Where no entry is: everything up to the next empty line is torn. @returns where an entry may begin */
  const lost = (bytes: Buffer, from: number): number => {
    // The empty line may have begun in what is held.
    if (unfinished.last === LF && bytes[from] === LF) {
      last(Flag.torn, Buffer.alloc(0));
      return from + 1;
    }
    const end = bytes.indexOf(boundary, from);
    if (end < 0) {
      keep(bytes.subarray(from));
      return bytes.length;
    }
    last(Flag.torn, Buffer.from(bytes.subarray(from, end + 1)));
    return end + 2;
  };

  const push = (chunk: Buffer): void => {
    let bytes = chunk;
    let at = 0;
    /** Where the run of whole entries begins that has not gone out yet. */
    let wholeFrom = 0;
    const putOut = (to: number): void => run(0, [bytes.subarray(wholeFrom, to)]);
    while (at < bytes.length) {
      if (mode === 'between') {
        if (bytes[at] === LF) {
          // An empty line where none is due is no entry, and nobody misses it.
          if (wholeFrom === at) wholeFrom += 1;
          at += 1;
          continue;
        }
        walker.begin();
        mode = 'entry';
      }
      if (mode === 'lost') {
        at = lost(bytes, at);
        wholeFrom = at;
        continue;
      }
      const begin = at;
      const found = walker.walk(bytes, begin);
      at = walker.at;
      if (found === 'whole') {
        if (inParts || unfinished.length > 0) {
          last(0, bytes.subarray(begin, at));
          wholeFrom = at;
        }
        mode = 'between';
      } else if (found === 'unfinished') {
        putOut(begin);
        keep(bytes.subarray(begin));
        return;
      } else {
        putOut(begin);
        notAnEntry();
        mode = 'lost';
        // The empty line that ends it may lie in what was taken for a length and a value.
        const doubtful = Math.min(walker.doubtful, unfinished.length + at - begin);
        const back = at - begin - doubtful;
        if (back >= 0) {
          keep(bytes.subarray(begin, begin + back));
          at = begin + back;
        } else {
          const again = unfinished.length + back;
          const all = Buffer.concat(held());
          keep(all.subarray(0, again));
          bytes = Buffer.concat([all.subarray(again), bytes.subarray(begin)]);
          at = 0;
        }
        wholeFrom = at;
      }
    }
    putOut(at);
  };

  return {
    push,
    complete() {
      if (unfinished.length === 0 && !inParts) return;
      if (mode === 'entry' && walker.betweenFields) last(0, Buffer.alloc(0));
      else {
        if (mode === 'entry') notAnEntry();
        last(Flag.torn, Buffer.alloc(0));
      }
    },
    end: () => last(Flag.torn, Buffer.alloc(0)),
  };
};
