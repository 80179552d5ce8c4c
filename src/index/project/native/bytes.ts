import type { ByteString } from '../../parse/byte-string.ts';

/** `shared`: another thread can read it without a copy. */
export type Memory = 'own' | 'shared';

const allocated = (memory: Memory, bytes: number): Buffer =>
  memory === 'shared' ? Buffer.from(new SharedArrayBuffer(bytes)) : Buffer.allocUnsafeSlow(bytes);

/**
 * Memory that grows; what is written to it is little-endian, as columns of the Native format and rows of RowBinary are. It
 * is kept for the next block.
 */
export class GrowingBytes {
  private readonly memory: Memory;
  private buffer: Buffer;
  private numbers: DataView;
  private at = 0;

  constructor(memory: Memory = 'own') {
    this.memory = memory;
    this.buffer = allocated(memory, 4096);
    this.numbers = viewOf(this.buffer);
  }

  get length(): number {
    return this.at;
  }

  clear(): void {
    this.at = 0;
  }

  /** A view that is valid until the next write. */
  view(): Buffer {
    return this.buffer.subarray(0, this.at);
  }

  uint8(value: number): void {
    this.reserve(1);
    this.buffer[this.at] = value;
    this.at += 1;
  }

  uint16(value: number): void {
    this.reserve(2);
    this.numbers.setUint16(this.at, value, true);
    this.at += 2;
  }

  uint32(value: number): void {
    this.reserve(4);
    this.numbers.setUint32(this.at, value, true);
    this.at += 4;
  }

  /** A whole number within ±2⁵³; two's complement. */
  int64(value: number): void {
    this.reserve(8);
    const high = Math.floor(value / 0x1_0000_0000);
    this.numbers.setUint32(this.at, value - high * 0x1_0000_0000, true);
    this.numbers.setInt32(this.at + 4, high, true);
    this.at += 8;
  }

  /** Length (LEB128) and bytes. */
  string(text: ByteString): void {
    const { length } = text;
    this.reserve(length + 5);
    this.varint(length);
    if (length > 16) this.buffer.write(text, this.at, length, 'latin1');
    else for (let i = 0; i < length; i += 1) this.buffer[this.at + i] = text.charCodeAt(i);
    this.at += length;
  }

  /** As a string: the bytes `source[start, end)`. */
  slice(source: Buffer, start: number, end: number): void {
    const length = end - start;
    this.reserve(length + 5);
    this.varint(length);
    if (length > 24) source.copy(this.buffer, this.at, start, end);
    else for (let i = 0; i < length; i += 1) this.buffer[this.at + i] = source[start + i] ?? 0;
    this.at += length;
  }

  /** The bytes alone, and as many zeros as they are short of `length`. */
  fixed(text: ByteString, length: number): void {
    this.reserve(length);
    for (let i = 0; i < text.length; i += 1) this.buffer[this.at + i] = text.charCodeAt(i);
    for (let i = text.length; i < length; i += 1) this.buffer[this.at + i] = 0;
    this.at += length;
  }

  /** The last `length` bytes, `times` more times. */
  again(length: number, times: number): void {
    if (times === 0) return;
    this.reserve(length * times);
    const end = this.at + length * times;
    const last = Uint8Array.prototype.slice.call(this.buffer, this.at - length, this.at);
    this.buffer.fill(last, this.at, end);
    this.at = end;
  }

  varint(value: number): void {
    this.reserve(5);
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.at] = (rest & 0x7f) | 0x80;
      this.at += 1;
      rest >>>= 7;
    }
    this.buffer[this.at] = rest;
    this.at += 1;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = allocated(this.memory, Math.max(this.buffer.length * 2, this.at + bytes));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
    this.numbers = viewOf(larger);
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Buffer): DataView =>
  new DataView(buffer, byteOffset, byteLength);
