import { Flag, Framing } from '#vault/record';
import { walkEntries } from './journal-entry.ts';
import type { Delivery } from './parse-delivery.ts';

/** A growing run of records, back to back: the body of the batch that is being filled. Reused from batch to batch. */
export type Lines = {
  bytes: Buffer<ArrayBuffer>;
  /** Where the next record goes. */
  used: number;
  /** Where each record begins; valid up to `count`. */
  offsets: Uint32Array;
  count: number;
};

/**
 * Bytes of its memory that lie before `Lines.bytes`: what is to go before the records of a batch mostly fits in, and
 * then nothing has to be moved.
 */
export const headroom = 64 * 1024;

const standardSize = headroom + 4 * 1024 * 1024 + 512 * 1024;

/** @param memory of an earlier batch, to be used again; what is not of the usual size is let go */
export const newLines = (memory?: ArrayBuffer): Lines => ({
  bytes: Buffer.from(memory?.byteLength === standardSize ? memory : new ArrayBuffer(standardSize), headroom),
  used: 0,
  offsets: new Uint32Array(maxLines),
  count: 0,
});

/** A batch is full at 4 MiB or, with its manifest, at 65,536 lines. */
export const maxLinesBytes = 4 * 1024 * 1024;
export const maxLines = 65_535;

export const isFull = (lines: Lines): boolean => lines.used >= maxLinesBytes || lines.count >= maxLines;

/** Appends one record whose bytes exist already. */
export const addRecord = (lines: Lines, record: Buffer): void => {
  makeRoom(lines, record.length);
  record.copy(lines.bytes, lines.used);
  lines.offsets[lines.count] = lines.used;
  lines.count += 1;
  lines.used += record.length;
};

const makeRoom = (lines: Lines, length: number): void => {
  if (lines.used + length <= lines.bytes.length) return;
  const size = headroom + Math.max(lines.bytes.length * 2, lines.used + length);
  const larger = Buffer.from(new ArrayBuffer(size), headroom);
  lines.bytes.copy(larger, 0, 0, lines.used);
  lines.bytes = larger;
};

/** The frames of one delivery, on their way to becoming records. */
export type Splitting = {
  /**
   * Cuts records into `lines` until they are full or the delivery is at its end.
   * @returns how many
   */
  fill(lines: Lines): number;
  done(): boolean;
};

const lineFeed = 0x0a;
const nul = 0x00;
const space = 0x20;
/** Offsets in a record head, see src/vault/record. */
const flagsAt = 5;
const framingAt = 6;
const sequenceAt = 16;

/**
 * Splits a delivery into records: one for each frame, its head that of the delivery. The raw bytes are the frame's,
 * without its framing: LF, NUL, octet count, RELP header, length words or the empty line after a journal entry go, CR
 * stays.
 *
 * - Where the sender numbers, the first line has the delivery's sequence number and each next one more; in `own`
 *   framing every frame brings its own number and meta.
 * - A frame of zero bytes that LF or NUL ends is no line and gives no record. In the other framings an empty frame does.
 * - A frame that ends before its count says has what is there as its raw bytes. Where a count or a length word should
 *   be and is not, the rest of the delivery becomes one record flagged torn: no byte is dropped.
 */
export const splitDelivery = (delivery: Delivery): Splitting => {
  switch (delivery.framing) {
    case Framing.newline:
      return splitTrailed(delivery, lineFeed);
    case Framing.nul:
      return splitTrailed(delivery, nul);
    case Framing.journal:
      return splitFrames(delivery, journalFrames(delivery));
    case Framing.octetCounted:
      return splitFrames(delivery, octetFrame);
    case Framing.relp:
      return splitFrames(delivery, relpFrame);
    case Framing.datagrams:
      return splitFrames(delivery, lengthFrame, Framing.datagram);
    case Framing.own:
      return splitFrames(delivery, ownFrame);
    default:
      return splitFrames(delivery, datagramFrame);
  }
};

/** The hot path: no object is made for a line. */
const splitTrailed = ({ head, body, sequence }: Delivery, trailer: number): Splitting => {
  let at = 0;
  let number = sequence;
  const headLength = head.length;
  return {
    done: () => at >= body.length,
    fill(lines) {
      const before = lines.count;
      while (at < body.length && lines.used < maxLinesBytes && lines.count < maxLines) {
        const found = body.indexOf(trailer, at);
        const end = found < 0 ? body.length : found;
        if (end > at) {
          const length = headLength + end - at;
          if (lines.used + length > lines.bytes.length) makeRoom(lines, length);
          const { bytes, used } = lines;
          for (let i = 4; i < headLength; i++) bytes[used + i] = head[i] ?? 0;
          writeLength(bytes, used, length - 4);
          if (number > 0) {
            writeSequence(bytes, used + sequenceAt, number);
            number += 1;
          }
          body.copy(bytes, used + headLength, at, end);
          lines.offsets[lines.count] = used;
          lines.count += 1;
          lines.used = used + length;
        }
        at = end + 1;
      }
      return lines.count - before;
    },
  };
};

const writeLength = (bytes: Buffer, at: number, length: number): void => {
  bytes[at] = length >>> 24;
  bytes[at + 1] = length >>> 16;
  bytes[at + 2] = length >>> 8;
  bytes[at + 3] = length;
};

/** Safe integers only. */
const writeSequence = (bytes: Buffer, at: number, sequence: number): void => {
  const high = Math.floor(sequence / 0x1_0000_0000);
  writeLength(bytes, at, high);
  writeLength(bytes, at + 4, sequence - high * 0x1_0000_0000);
};

/** Where a frame's parts lie in the body. `null` sequence and meta: those of the delivery. */
type Frame = {
  sequence: number | null;
  meta: Buffer | null;
  from: number;
  to: number;
  next: number;
  flags: number;
};

/** @param framing of the records, where it is not the delivery's */
const splitFrames = (
  delivery: Delivery,
  frameAt: (body: Buffer, at: number) => Frame,
  framing: number = delivery.framing,
): Splitting => {
  const { head, body, sequence } = delivery;
  let at = 0;
  let begun = false;
  let number = sequence;
  const done = (): boolean => begun && at >= body.length;
  return {
    done,
    fill(lines) {
      const before = lines.count;
      while (!done() && !isFull(lines)) {
        begun = true;
        // An empty datagram is a line; an empty body of any other framing has none.
        if (body.length === 0 && delivery.framing !== Framing.datagram) break;
        const frame = frameAt(body, at);
        const own = frame.sequence ?? number;
        if (number > 0) number += 1;
        writeFrame(lines, delivery, head, framing, frame, own);
        at = frame.next;
      }
      return lines.count - before;
    },
  };
};

const writeFrame = (
  lines: Lines,
  delivery: Delivery,
  head: Buffer,
  framing: number,
  frame: Frame,
  sequence: number,
): void => {
  const constant = frame.meta === null ? head.length : delivery.metaAt;
  const metaLength = frame.meta === null ? 0 : 2 + frame.meta.length;
  const length = constant + metaLength + frame.to - frame.from;
  makeRoom(lines, length);
  const { bytes, used } = lines;
  head.copy(bytes, used, 0, constant);
  writeLength(bytes, used, length - 4);
  bytes[used + flagsAt] = (head[flagsAt] ?? 0) | frame.flags;
  bytes[used + framingAt] = framing;
  writeSequence(bytes, used + sequenceAt, sequence);
  if (frame.meta !== null) {
    bytes.writeUInt16BE(frame.meta.length, used + constant);
    frame.meta.copy(bytes, used + constant + 2);
  }
  delivery.body.copy(bytes, used + constant + metaLength, frame.from, frame.to);
  lines.offsets[lines.count] = used;
  lines.count += 1;
  lines.used = used + length;
};

const datagramFrame = (body: Buffer): Frame => ({
  ...inherited,
  from: 0,
  to: body.length,
  next: body.length,
});

/** `u16 length`, then so many bytes. */
const lengthFrame = (body: Buffer, at: number): Frame => {
  if (at + 2 > body.length) return rest(body, at);
  const from = at + 2;
  const to = from + body.readUInt16BE(at);
  return to > body.length ? rest(body, at) : { ...inherited, from, to, next: to };
};

const inherited = { sequence: null, meta: null, flags: 0 };

const rest = (body: Buffer, at: number): Frame => ({
  ...inherited,
  from: at,
  to: body.length,
  next: body.length,
  flags: Flag.torn,
});

/** A part of an entry, or what of one came before the connection was cut, is one record whatever is in it. */
const journalFrames = ({ head }: Delivery): ((body: Buffer, at: number) => Frame) => {
  if (((head[flagsAt] ?? 0) & (Flag.part | Flag.torn)) !== 0) return datagramFrame;
  const walker = walkEntries();
  return (body, at) => {
    walker.begin();
    const found = walker.walk(body, at);
    const isWhole = found === 'whole' || (found === 'unfinished' && walker.betweenFields);
    if (!isWhole) return rest(body, at);
    let next = found === 'whole' ? walker.at : body.length;
    const to = found === 'whole' ? next - 1 : next;
    while (body[next] === lineFeed) next += 1;
    return { ...inherited, from: at, to, next };
  };
};

const octetFrame = (body: Buffer, at: number): Frame => {
  let from = at;
  let count = 0;
  for (; from < body.length && from - at < 10; from++) {
    const digit = (body[from] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    count = count * 10 + digit;
  }
  if (from === at || body[from] !== space) return rest(body, at);
  from += 1;
  const to = Math.min(from + count, body.length);
  return { ...inherited, from, to, next: to };
};

/** `TXNR SP COMMAND SP DATALEN [SP DATA] LF`: the data are the line. */
const relpFrame = (body: Buffer, at: number): Frame => {
  const command = body.indexOf(space, at) + 1;
  const digits = command === 0 ? 0 : body.indexOf(space, command) + 1;
  if (digits === 0 || digits - at > 64) return rest(body, at);
  let from = digits;
  let count = 0;
  for (; from < body.length && from - digits < 10; from++) {
    const digit = (body[from] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    count = count * 10 + digit;
  }
  if (from === digits || (body[from] !== space && body[from] !== lineFeed)) return rest(body, at);
  if (body[from] === space) from += 1;
  const to = Math.min(from + count, body.length);
  return { ...inherited, from, to, next: to + 1 };
};

const ownFrame = (body: Buffer, at: number): Frame => {
  if (at + 10 > body.length) return rest(body, at);
  const sequence = Number(body.readBigUInt64BE(at));
  const metaFrom = at + 10;
  const metaTo = metaFrom + body.readUInt16BE(at + 8);
  if (metaTo + 4 > body.length || !Number.isSafeInteger(sequence)) return rest(body, at);
  const from = metaTo + 4;
  const to = from + body.readUInt32BE(metaTo);
  if (to > body.length) return rest(body, at);
  return { sequence, meta: body.subarray(metaFrom, metaTo), from, to, next: to, flags: 0 };
};
