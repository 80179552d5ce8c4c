/** A frame of RELP: `TXNR SP COMMAND SP DATALEN [SP DATA] LF` (librelp, doc/relp.html). */
export type RelpHeader = {
  txnr: number;
  command: string;
  /** Bytes of data. */
  length: number;
  /** Where the data begins; where it is empty, where the LF is due. */
  dataAt: number;
};

export type HeaderRead =
  | { result: 'whole'; header: RelpHeader }
  /** More bytes are needed. */
  | { result: 'unfinished' }
  | { result: 'none'; why: string };

const LF = 0x0a;
const SP = 0x20;
const mostDigits = 9;
const longestCommand = 32;

const unfinished: HeaderRead = { result: 'unfinished' };
const none = (why: string): HeaderRead => ({ result: 'none', why });

/** @returns the number and where it ends; `end` −1: unfinished, −2: none is there */
const digits = (bytes: Buffer, from: number): { value: number; end: number } => {
  let value = 0;
  for (let at = from; at < bytes.length && at - from <= mostDigits; at += 1) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return { value, end: at === from ? -2 : at };
    value = value * 10 + digit;
  }
  return { value, end: bytes.length - from > mostDigits ? -2 : -1 };
};

/** Reads the header of the frame that begins at `from`. */
export const readHeader = (bytes: Buffer, from: number): HeaderRead => {
  const txnr = digits(bytes, from);
  if (txnr.end === -1) return unfinished;
  if (txnr.end < 0 || bytes[txnr.end] !== SP) return none('no transaction number');
  let at = txnr.end + 1;
  const commandAt = at;
  while (at < bytes.length && bytes[at] !== SP) {
    const letter = (bytes[at] ?? 0) | 0x20;
    if (letter < 0x61 || letter > 0x7a || at - commandAt >= longestCommand) return none('no command');
    at += 1;
  }
  if (at === bytes.length) return unfinished;
  if (at === commandAt) return none('no command');
  const command = bytes.toString('latin1', commandAt, at);
  const length = digits(bytes, at + 1);
  if (length.end === -1) return unfinished;
  if (length.end < 0) return none('no length');
  const header = { txnr: txnr.value, command, length: length.value, dataAt: length.end };
  if (length.value === 0) return { result: 'whole', header };
  if (bytes[length.end] !== SP) return none('no data after its length');
  return { result: 'whole', header: { ...header, dataAt: length.end + 1 } };
};

/** `syslog SP` in ASCII, as two words. */
const sysl = 0x7379736c;
const og = 0x6f67;

/**
 * Runs over whole `syslog` frames with transaction numbers that follow one another: the hot path, which makes no object
 * for a frame.
 */
export class SyslogRun {
  /** Where the first frame that is not part of the run begins. */
  end = 0;
  /** Transaction number of the first one; 0: there is none. */
  first = 0;
  count = 0;

  /**
   * @param from where a frame begins
   * @param most frames to take
   * @param longest bytes of data of a frame that may be taken whole
   */
  walk(bytes: Buffer, from: number, most: number, longest: number): void {
    this.end = from;
    this.first = 0;
    this.count = 0;
    let at = from;
    while (this.count < most) {
      let txnr = 0;
      const numberAt = at;
      let byte = bytes[at] ?? 0;
      while (byte >= 0x30 && byte <= 0x39 && at - numberAt < mostDigits) {
        txnr = txnr * 10 + byte - 0x30;
        at += 1;
        byte = bytes[at] ?? 0;
      }
      if (at === numberAt || byte !== SP || at + 9 > bytes.length) return;
      if (bytes.readUInt32BE(at + 1) !== sysl || bytes.readUInt16BE(at + 5) !== og || bytes[at + 7] !== SP)
        return;
      if (this.count > 0 && txnr !== this.first + this.count) return;
      at += 8;
      let length = 0;
      const lengthAt = at;
      byte = bytes[at] ?? 0;
      while (byte >= 0x30 && byte <= 0x39 && at - lengthAt < mostDigits) {
        length = length * 10 + byte - 0x30;
        at += 1;
        byte = bytes[at] ?? 0;
      }
      if (at === lengthAt || length > longest) return;
      if (length > 0) {
        if (byte !== SP) return;
        at += 1 + length;
      }
      if (bytes[at] !== LF) return;
      at += 1;
      if (this.count === 0) this.first = txnr;
      this.count += 1;
      this.end = at;
    }
  }
}

const ok = 'rsp 6 200 OK\n';

/** `200 OK` for `count` transactions from `first` on. */
export const acknowledgements = (first: number, count: number): string => {
  let text = '';
  for (let txnr = first; txnr < first + count; txnr += 1) text += `${txnr} ${ok}`;
  return text;
};

/** A response frame. */
export const response = (txnr: number, data: string): string =>
  data === '' ? `${txnr} rsp 0\n` : `${txnr} rsp ${Buffer.byteLength(data)} ${data}\n`;
