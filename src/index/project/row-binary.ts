/**
 * Reads ClickHouse's RowBinary: little-endian integers, strings with a LEB128 length, Nullable with a leading byte
 * (1 = null), Map as a length and its pairs, DateTime64(6) as a signed 64-bit count of microseconds. Past the end it
 * throws RangeError.
 */
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
