import { Flag, Framing } from '#vault/record';
import { openCarry } from '../carry.ts';

/**
 * A run of frames that can be stored as one delivery: its body is the concatenation of `pieces`, in the form that
 * src/vault/intake/delivery.ts gives for `framing`.
 */
export type FrameRun = { framing: Framing; flags: number; pieces: Buffer[]; length: number };

/** How many bytes of unfinished frames all connections hold, and how many one frame may hold before it is split. */
export type CarryBudget = {
  carried: number;
  /** Bytes. Falls when many connections hold much, so that strangers cannot fill the memory with unfinished lines. */
  limit(): number;
};

/**
 * @param maxLine bytes of a line that are stored in one piece; at least 64 KiB, the size of one read: a frame that
 *   ends in the read in which it began is never measured
 * @param total bytes that all connections together may hold before the limit of each falls to 8 KiB
 */
export const carryBudget = (maxLine: number, total: number): CarryBudget => {
  if (maxLine < 65_536) throw new RangeError(`maxLine must be at least 65536 bytes, got ${maxLine}`);
  return {
    carried: 0,
    limit() {
      return this.carried > total ? 8192 : maxLine;
    },
  };
};

export type FrameCutter = {
  push(chunk: Buffer): void;
  /** The connection is over: what is left is stored as torn. */
  end(): void;
};

const LF = 0x0a;
const SP = 0x20;
const LESS_THAN = 0x3c;
const maxDigits = 9;

/** How a stream's frames end. `undecided` as to octet counting is RFC 6587 alone. */
export type Trailer = { byte: number; framing: Framing; mode: 'undecided' | 'newline' };

const lineFeedTrailer: Trailer = { byte: LF, framing: Framing.newline, mode: 'undecided' };
/** Each frame ends with NUL, and no count is looked for. */
export const nulTrailer: Trailer = { byte: 0, framing: Framing.nul, mode: 'newline' };

/**
 * Cuts what one connection sends (RFC 6587) at its last complete frame. Octet counting (§3.4.1) is recognised by the
 * first bytes, a count and `<`; anything else is newline framing (§3.4.2). Newline framing looks for the last LF of
 * a chunk and at nothing else; octet counting walks the counts. No other byte is looked at.
 *
 * - A frame longer than the limit goes out in parts (Flag.part; the last also Flag.lastPart). A part of an
 *   octet-counted frame is given a count of its own.
 * - Where a count should be and none is, the rest of the connection is read as newline framing, after `lostSync()`.
 * - A single LF after an octet-counted frame, which some senders add, is taken as framing.
 */
export const cutFrames = (
  budget: CarryBudget,
  emit: (run: FrameRun) => void,
  lostSync: () => void,
  trailer: Trailer = lineFeedTrailer,
): FrameCutter => {
  let mode: 'undecided' | 'newline' | 'octets' = trailer.mode;
  /** The unfinished frame; with octet counting its header too, unless the frame goes out in parts. */
  const carry = openCarry(budget);
  let inParts = false;
  /** Octet counting: bytes of the unfinished frame that have not come yet; 0 while its header is unfinished. */
  let missing = 0;
  /** Octet counting: the header that was read last. */
  let count = 0;
  let headerLength = 0;

  const run = (framing: Framing, flags: number, pieces: Buffer[]): void => {
    const filled = pieces.filter((piece) => piece.length > 0);
    const length = filled.reduce((sum, piece) => sum + piece.length, 0);
    if (length > 0) emit({ framing, flags, pieces: filled, length });
  };

  const part = (bytes: Buffer, flags: number): void => {
    if (mode === 'octets')
      run(Framing.octetCounted, Flag.part | flags, [Buffer.from(`${bytes.length} `), bytes]);
    else run(trailer.framing, Flag.part | flags, [bytes]);
  };

  /** Puts out parts of `limit` bytes while more than that is held; at least one byte stays for the last part. */
  const splitCarry = (limit: number): void => {
    const header = mode === 'octets' && !inParts ? headerLength : 0;
    if (carry.length - header <= limit) return;
    let bytes = carry.take().subarray(header);
    inParts = true;
    while (bytes.length > limit) {
      part(bytes.subarray(0, limit), 0);
      bytes = bytes.subarray(limit);
    }
    carry.keep(bytes);
  };

  const newline = (chunk: Buffer): void => {
    const limit = budget.limit();
    let rest = chunk;
    if (inParts || (carry.length > 0 && carry.length + chunk.length > limit)) {
      const at = chunk.indexOf(trailer.byte);
      const lineEnd = at < 0 ? chunk.length : at;
      if (inParts || carry.length + lineEnd > limit) {
        carry.keep(chunk.subarray(0, lineEnd));
        splitCarry(limit);
        if (at < 0) return;
        inParts = false;
        run(trailer.framing, Flag.part | Flag.lastPart, [carry.take(), chunk.subarray(at, at + 1)]);
        rest = chunk.subarray(at + 1);
      }
    }
    const cut = rest.lastIndexOf(trailer.byte) + 1;
    if (cut > 0) run(trailer.framing, 0, [carry.take(), rest.subarray(0, cut)]);
    carry.keep(rest.subarray(cut));
    splitCarry(limit);
  };

  /** Reads `MSG-LEN SP` into `count` and `headerLength`. No leading zero, at most nine digits. */
  const readHeader = (bytes: Buffer, from: number): 'complete' | 'unfinished' | 'none' => {
    let at = from;
    count = 0;
    for (; at < bytes.length && at - from <= maxDigits; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === SP) {
        headerLength = at + 1 - from;
        return count > 0 ? 'complete' : 'none';
      }
      if (byte < 0x30 || byte > 0x39 || (at === from && byte === 0x30)) return 'none';
      count = count * 10 + byte - 0x30;
    }
    return at === bytes.length && at - from <= maxDigits ? 'unfinished' : 'none';
  };

  const octets = (chunk: Buffer): void => {
    if (missing > 0) {
      const come = Math.min(missing, chunk.length);
      carry.keep(chunk.subarray(0, come));
      missing -= come;
      splitCarry(budget.limit());
      if (missing > 0) return;
      if (inParts) {
        part(carry.take(), Flag.lastPart);
        inParts = false;
      }
      walk(chunk.subarray(come));
    } else walk(carry.length > 0 ? Buffer.concat([carry.take(), chunk]) : chunk);
  };

  /** `bytes` begins where a frame begins; `carry` is empty or holds the whole frame before it. */
  const walk = (bytes: Buffer): void => {
    let from = 0;
    let at = 0;
    while (at < bytes.length) {
      const header = readHeader(bytes, at);
      const next = at + headerLength + count;
      if (header === 'complete' && next <= bytes.length) {
        at = next;
        continue;
      }
      run(Framing.octetCounted, 0, [carry.take(), bytes.subarray(from, at)]);
      if (header === 'none' && bytes[at] === LF) {
        at += 1;
        from = at;
        continue;
      }
      if (header === 'none') {
        mode = 'newline';
        lostSync();
        return newline(bytes.subarray(at));
      }
      missing = header === 'complete' ? next - bytes.length : 0;
      carry.keep(bytes.subarray(at));
      if (missing > 0) splitCarry(budget.limit());
      return;
    }
    run(Framing.octetCounted, 0, [carry.take(), bytes.subarray(from, at)]);
  };

  const decide = (bytes: Buffer): void => {
    const header = readHeader(bytes, 0);
    const first = bytes[headerLength];
    if (header === 'unfinished' || (header === 'complete' && first === undefined)) return carry.keep(bytes);
    mode = header === 'complete' && first === LESS_THAN ? 'octets' : 'newline';
    if (mode === 'octets') walk(bytes);
    else newline(bytes);
  };

  return {
    push(chunk) {
      if (mode === 'newline') newline(chunk);
      else if (mode === 'octets') octets(chunk);
      else decide(Buffer.concat([carry.take(), chunk]));
    },
    end() {
      const flags = Flag.torn | (inParts ? Flag.part | Flag.lastPart : 0);
      const bytes = carry.take();
      // An unfinished header is no frame: its bytes are kept as a line of their own.
      if (mode !== 'octets' || missing === 0) run(trailer.framing, flags, [bytes]);
      else if (inParts) part(bytes, Flag.lastPart | Flag.torn);
      else run(Framing.octetCounted, flags, [bytes]);
    },
  };
};
