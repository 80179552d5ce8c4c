import { exportParser } from '../journald/export.ts';
import { lineLimit } from '../line.ts';

/** What stands in a file, in its order. */
export type ImportFormat = 'lines' | 'journal';

export type Entry = {
  raw: Buffer;
  /** The file ends without this line's LF. */
  unterminated?: true;
};

/** Takes a file's bytes apart, in whatever pieces they come. */
export type Splitter = {
  push(chunk: Buffer): Entry[];
  /** What is left when there is no more. */
  rest(): Entry | null;
};

/** `journalctl -o export` begins each entry with its cursor; `__REALTIME_TIMESTAMP` where a tool left that out. */
export const formatOf = (start: Buffer): ImportFormat =>
  /^__(CURSOR|REALTIME_TIMESTAMP)=/.test(start.toString('latin1', 0, 32)) ? 'journal' : 'lines';

export const splitter = (format: ImportFormat): Splitter => (format === 'journal' ? entries() : lines());

/** Lines without their LF, empty ones too: so that a line's number is its number. */
const lines = (): Splitter => {
  let carry: Buffer[] = [];
  let carried = 0;
  return {
    push(chunk) {
      const found: Entry[] = [];
      let at = 0;
      for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, at)) {
        const piece = chunk.subarray(at, end);
        found.push({ raw: carried === 0 ? piece : Buffer.concat([...carry, piece]) });
        carry = [];
        carried = 0;
        at = end + 1;
      }
      if (at < chunk.length) {
        carry.push(chunk.subarray(at));
        carried += chunk.length - at;
      }
      // A file without line feeds is no reason to hold all of it.
      if (carried >= lineLimit) {
        found.push({ raw: Buffer.concat(carry), unterminated: true });
        carry = [];
        carried = 0;
      }
      return found;
    },
    rest: () => (carried === 0 ? null : { raw: Buffer.concat(carry), unterminated: true }),
  };
};

const entries = (): Splitter => {
  const parse = exportParser([]);
  let last: Buffer = Buffer.alloc(0);
  return {
    push(chunk) {
      last = Buffer.concat([last, chunk]).subarray(-1);
      return parse(chunk).map(({ raw }) => ({ raw }));
    },
    rest() {
      // Only an entry that nothing follows may lack its empty line.
      const [entry] = last.length === 0 ? [] : parse(Buffer.from(last[0] === 0x0a ? '\n' : '\n\n'));
      return entry === undefined ? null : { raw: entry.raw };
    },
  };
};
