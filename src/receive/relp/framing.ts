import { Flag, Framing } from '#vault/record';
import { openCarry } from '../carry.ts';
import type { CarryBudget, FrameRun } from '../syslog/framing.ts';

/** What is done with what one connection sends. */
export type RelpSink = {
  /**
   * A run of `syslog` frames as they came. `count` of them are at their end in it, and the first of those is number
   * `first`; each after it has the next number. A run with a part of a frame that has more to come ends none.
   */
  frames(run: FrameRun, first: number, count: number): void;
  /** How many frames the next run may have at most. */
  most(): number;
  /** Any other command. */
  command(txnr: number, name: string, data: string): void;
  /** These bytes are no RELP. `txnr`: of the frame that was due. Nothing is looked at afterwards. */
  violation(txnr: number, why: string): void;
};

export type RelpCutter = {
  push(chunk: Buffer): void;
  /**
   * The connection is over. What came of an unfinished frame is stored as torn where the connection was `cut`; after a
   * `goodbye` of ours the sender knows that it has to send it again, and nothing of it is stored.
   * @returns whether there was an unfinished frame
   */
  end(how: 'cut' | 'goodbye'): boolean;
};

const LF = 0x0a;
const SP = 0x20;
const maxDigits = 9;
const maxCommand = 32;
/** `TXNR SP COMMAND SP DATALEN SP` at its longest. */
const longestHeader = maxDigits + 1 + maxCommand + 1 + maxDigits + 1;
/** Bytes of data that a command other than `syslog` may have: offers are short. */
const longestOffers = 16 * 1024;
const lineFeed = Buffer.from([LF]);
const syslog = 'syslog';

/** The transaction number after this one (librelp's doc/relp.html, "Transaction Number"). */
export const nextTxnr = (txnr: number): number => (txnr >= 999_999_999 ? 1 : txnr + 1);

/**
 * Cuts RELP (librelp's doc/relp.html) into frames, `TXNR SP COMMAND SP DATALEN [SP DATA] LF`, in one pass over each
 * chunk that looks at headers and trailers alone. Runs of `syslog` frames go out together and uncopied.
 *
 * - A frame whose data are longer than the limit goes out in parts (Flag.part; the last also Flag.lastPart), each with
 *   a header and a trailer of its own.
 * - Transaction numbers count up from 1 without a gap, as the specification demands and librelp checks.
 */
export const cutRelp = (budget: CarryBudget, sink: RelpSink): RelpCutter => {
  const carry = openCarry(budget);
  /** The number that the next frame has to have. */
  let due = 1;
  let over = false;
  let inParts = false;
  /** Bytes of the unfinished frame that have not come yet, its trailer included; 0 while its header is unfinished. */
  let missing = 0;
  /** The header that was read last: that of the unfinished frame, while there is one. */
  let txnr = 0;
  let command = syslog;
  let length = 0;
  let headerLength = 0;
  /** The run that is being made: whole frames in the carry and in the chunk. */
  let first = 0;
  let count = 0;

  const readHeader = (bytes: Buffer, from: number): 'complete' | 'unfinished' | 'none' => {
    const end = bytes.length;
    let at = from;
    let value = 0;
    for (; ; at += 1) {
      if (at === end) return 'unfinished';
      const byte = bytes[at] ?? 0;
      if (byte === SP) break;
      if (byte < 0x30 || byte > 0x39 || at - from === maxDigits) return 'none';
      value = value * 10 + byte - 0x30;
    }
    if (at === from) return 'none';
    txnr = value;
    at += 1;
    const name = at;
    if (isSyslog(bytes, at)) {
      command = syslog;
      at += syslog.length;
    } else {
      for (; ; at += 1) {
        if (at === end) return 'unfinished';
        const byte = bytes[at] ?? 0;
        if (byte === SP) break;
        if (!isLetter(byte) || at - name === maxCommand) return 'none';
      }
      if (at === name) return 'none';
      command = bytes.toString('latin1', name, at);
    }
    at += 1;
    const digits = at;
    value = 0;
    for (; ; at += 1) {
      if (at >= end) return 'unfinished';
      const byte = bytes[at] ?? 0;
      if (byte === SP || byte === LF) break;
      if (byte < 0x30 || byte > 0x39 || at - digits === maxDigits) return 'none';
      value = value * 10 + byte - 0x30;
    }
    if (at === digits || (bytes[at] === LF && value > 0)) return 'none';
    length = value;
    headerLength = at - from + (bytes[at] === SP ? 1 : 0);
    return 'complete';
  };

  const violate = (why: string): void => {
    drop('cut');
    over = true;
    sink.violation(due, why);
  };

  /** Whether the frame whose header was read may come now. */
  const admit = (): boolean => {
    if (txnr !== due) {
      violate(`transaction number ${txnr} where ${due} was due`);
      return false;
    }
    if (command !== syslog && length > longestOffers) {
      violate(`${length} bytes of data for a command that takes ${longestOffers} at most`);
      return false;
    }
    due = nextTxnr(txnr);
    return true;
  };

  const flush = (bytes: Buffer, from: number, to: number): void => {
    if (count === 0) return;
    const pieces = carry.length > 0 ? [carry.take()] : [];
    if (to > from) pieces.push(bytes.subarray(from, to));
    const ended = count;
    count = 0;
    sink.frames({ framing: Framing.relp, flags: 0, pieces, length: sum(pieces) }, first, ended);
  };

  const part = (bytes: Buffer, flags: number, ended: number): void => {
    const pieces = [Buffer.from(`${txnr} ${syslog} ${bytes.length} `), bytes, lineFeed];
    sink.frames(
      { framing: Framing.relp, flags: Flag.part | flags, pieces, length: sum(pieces) },
      txnr,
      ended,
    );
  };

  /** Puts out parts of the limit's size while more is held; the trailer and a byte at least stay for the last part. */
  const splitCarry = (): void => {
    const limit = budget.limit();
    const header = inParts ? 0 : headerLength;
    if (command !== syslog || carry.length - header <= limit + 1) return;
    let bytes = carry.take().subarray(header);
    inParts = true;
    while (bytes.length > limit + 1) {
      part(bytes.subarray(0, limit), 0, 0);
      bytes = bytes.subarray(limit);
    }
    carry.keep(bytes);
  };

  /** `bytes` begins where a frame begins; the carry is empty or is the whole frame before it, which counts already. */
  const walk = (bytes: Buffer): void => {
    let from = 0;
    let at = 0;
    let most = sink.most();
    for (;;) {
      if (count >= most) {
        flush(bytes, from, at);
        from = at;
        most = sink.most();
      }
      if (at === bytes.length) return flush(bytes, from, at);
      const found = readHeader(bytes, at);
      const end = at + headerLength + length;
      if (found === 'complete' && end < bytes.length && bytes[end] === LF && txnr === due) {
        if (command === syslog) {
          due = nextTxnr(txnr);
          if (count === 0) first = txnr;
          count += 1;
          at = end + 1;
          continue;
        }
        flush(bytes, from, at);
        if (!admit()) return;
        sink.command(txnr, command, bytes.toString('latin1', at + headerLength, end));
        if (over) return;
        at = end + 1;
        from = at;
        most = sink.most();
        continue;
      }
      flush(bytes, from, at);
      if (found === 'none') return violate('no frame header where one was due');
      if (found === 'complete') {
        if (!admit()) return;
        if (end < bytes.length) return violate('no trailer where one was due');
        missing = end + 1 - bytes.length;
      }
      carry.keep(bytes.subarray(at));
      if (missing > 0) splitCarry();
      return;
    }
  };

  /** More of the frame in the carry. */
  const goOn = (chunk: Buffer): void => {
    const come = Math.min(missing, chunk.length);
    carry.keep(chunk.subarray(0, come));
    missing -= come;
    splitCarry();
    if (missing > 0) return;
    if (carry.last() !== LF) return violate('no trailer where one was due');
    if (inParts) {
      const bytes = carry.take();
      inParts = false;
      part(bytes.subarray(0, -1), Flag.lastPart, 1);
    } else if (command === syslog) {
      first = txnr;
      count = 1;
    } else {
      sink.command(txnr, command, carry.take().toString('latin1', headerLength, headerLength + length));
    }
    if (!over) walk(chunk.subarray(come));
  };

  const goOnWithHeader = (chunk: Buffer): void => {
    const begun = carry.length;
    const bytes = Buffer.concat([carry.take(), chunk.subarray(0, longestHeader)]);
    const found = readHeader(bytes, 0);
    if (found === 'none') return violate('no frame header where one was due');
    carry.keep(found === 'complete' ? bytes.subarray(0, begun) : bytes);
    if (found === 'unfinished' || !admit()) return;
    missing = headerLength + length + 1 - begun;
    goOn(chunk);
  };

  const drop = (how: 'cut' | 'goodbye'): boolean => {
    if (carry.length === 0 && !inParts) return false;
    const bytes = carry.take();
    if (inParts) part(bytes, Flag.lastPart | Flag.torn, 0);
    else if (how === 'cut' && missing > 0 && command === syslog && bytes.length > headerLength)
      sink.frames(
        { framing: Framing.relp, flags: Flag.torn, pieces: [bytes], length: bytes.length },
        txnr,
        0,
      );
    inParts = false;
    missing = 0;
    return true;
  };

  return {
    push(chunk) {
      if (over) return;
      if (missing > 0) goOn(chunk);
      else if (carry.length > 0) goOnWithHeader(chunk);
      else walk(chunk);
    },
    end(how) {
      if (over) return false;
      over = true;
      return drop(how);
    },
  };
};

/** `syslog ` at `at`. */
const isSyslog = (bytes: Buffer, at: number): boolean =>
  at + 7 <= bytes.length &&
  bytes[at] === 0x73 &&
  bytes[at + 1] === 0x79 &&
  bytes[at + 2] === 0x73 &&
  bytes[at + 3] === 0x6c &&
  bytes[at + 4] === 0x6f &&
  bytes[at + 5] === 0x67 &&
  bytes[at + 6] === SP;

const isLetter = (byte: number): boolean => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;

const sum = (pieces: readonly Buffer[]): number => {
  let bytes = 0;
  for (const piece of pieces) bytes += piece.length;
  return bytes;
};
