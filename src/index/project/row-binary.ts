import type { ByteString } from '../parse/byte-string.ts';

/**
 * Writes ClickHouse's RowBinary: little-endian integers, strings with a LEB128 length, Nullable with a leading byte
 * (1 = null), Map as a length and its pairs, DateTime64(6) as a signed 64-bit count of microseconds.
 */
export class RowBinaryWriter {
  private buffer: Buffer = Buffer.allocUnsafeSlow(1 << 20);
  private at = 0;

  get length(): number {
    return this.at;
  }

  /** Makes room for `bytes` more, so that the methods below need not look. */
  reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.at + bytes));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }

  uint8(value: number): void {
    this.buffer[this.at] = value;
    this.at += 1;
  }

  uint16(value: number): void {
    this.buffer[this.at] = value;
    this.buffer[this.at + 1] = value >>> 8;
    this.at += 2;
  }

  uint32(value: number): void {
    const { buffer, at } = this;
    buffer[at] = value;
    buffer[at + 1] = value >>> 8;
    buffer[at + 2] = value >>> 16;
    buffer[at + 3] = value >>> 24;
    this.at = at + 4;
  }

  /** A whole number within ±2⁵³; two's complement. */
  int64(value: number): void {
    const high = Math.floor(value / 0x1_0000_0000);
    this.uint32(value - high * 0x1_0000_0000);
    this.uint32(high);
  }

  string(text: ByteString): void {
    const { length } = text;
    this.varint(length);
    if (length > 16) {
      this.buffer.write(text, this.at, length, 'latin1');
      this.at += length;
      return;
    }
    for (let i = 0; i < length; i += 1) this.buffer[this.at + i] = text.charCodeAt(i);
    this.at += length;
  }

  /** A FixedString: the bytes alone. */
  fixed(text: ByteString): void {
    const { length } = text;
    for (let i = 0; i < length; i += 1) this.buffer[this.at + i] = text.charCodeAt(i);
    this.at += length;
  }

  /** A string whose bytes are `source[start, end)`. */
  slice(source: Buffer, start: number, end: number): void {
    const length = end - start;
    this.varint(length);
    if (length > 24) source.copy(this.buffer, this.at, start, end);
    else for (let i = 0; i < length; i += 1) this.buffer[this.at + i] = source[start + i] ?? 0;
    this.at += length;
  }

  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.at] = (rest & 0x7f) | 0x80;
      this.at += 1;
      rest >>>= 7;
    }
    this.buffer[this.at] = rest;
    this.at += 1;
  }

  /** What was written; a view that is valid until the next write. */
  bytes(): Buffer {
    return this.buffer.subarray(0, this.at);
  }

  /** Forgets everything after `length`. */
  truncate(length: number): void {
    this.at = length;
  }
}

/** Reads what RowBinaryWriter writes. Past the end it throws RangeError. */
export class RowBinaryReader {
  private readonly buffer: Buffer;
  private at = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  get done(): boolean {
    return this.at >= this.buffer.length;
  }

  uint8(): number {
    return this.buffer.readUInt8((this.at += 1) - 1);
  }

  uint16(): number {
    return this.buffer.readUInt16LE((this.at += 2) - 2);
  }

  uint32(): number {
    return this.buffer.readUInt32LE((this.at += 4) - 4);
  }

  int64(): number {
    const low = this.uint32();
    return this.buffer.readInt32LE((this.at += 4) - 4) * 0x1_0000_0000 + low;
  }

  /** A view, not a copy. */
  bytes(): Buffer {
    const length = this.varint();
    if (this.at + length > this.buffer.length)
      throw new RangeError(`a string of ${length} bytes leaves the rows`);
    return this.buffer.subarray(this.at, (this.at += length));
  }

  text(): string {
    return this.bytes().toString('utf8');
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.uint8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
}
