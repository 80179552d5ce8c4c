import { Damage } from './part.ts';

/**
 * Snappy, as one block (https://github.com/google/snappy/blob/main/format_description.txt) or framed
 * (framing_format.txt), which begins with a stream identifier. Checksums are not looked at: the vault has hashes.
 * @throws Damage
 */
export const unpackSnappy = (bytes: Buffer, most: number): Buffer =>
  bytes.subarray(0, identifier.length).equals(identifier) ? framed(bytes, most) : block(bytes, most);

const identifier = Buffer.from('\u00ff\u0006\u0000\u0000sNaPpY', 'latin1');

const compressed = 0x00;
const uncompressed = 0x01;
const checksum = 4;

const framed = (bytes: Buffer, most: number): Buffer => {
  const pieces: Buffer[] = [];
  let length = 0;
  let at = 0;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw damaged();
    const kind = bytes[at];
    const end = at + 4 + bytes.readUIntLE(at + 1, 3);
    if (end > bytes.length) throw damaged();
    if (kind === compressed || kind === uncompressed) {
      if (end - at < 4 + checksum) throw damaged();
      const data = bytes.subarray(at + 4 + checksum, end);
      const piece = kind === compressed ? block(data, most - length) : data;
      length += piece.length;
      if (length > most) throw tooLarge(most);
      pieces.push(piece);
    } else if (kind !== undefined && kind >= 0x02 && kind <= 0x7f) throw damaged();
    at = end;
  }
  return Buffer.concat(pieces, length);
};

const block = (bytes: Buffer, most: number): Buffer => {
  let length = 0;
  let at = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at];
    if (byte === undefined || shift > 28) throw damaged();
    at += 1;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  if (length > most) throw tooLarge(most);
  // Three bytes give 64 at most, so that a length that cannot be is not allocated.
  if (length > bytes.length * 32) throw damaged();
  const out = Buffer.alloc(length);
  let to = 0;
  while (at < bytes.length) {
    const tag = bytes[at] ?? 0;
    at += 1;
    const kind = tag & 3;
    if (kind === 0) {
      let count = tag >>> 2;
      if (count >= 60) {
        const width = count - 59;
        if (at + width > bytes.length) throw damaged();
        count = bytes.readUIntLE(at, width);
        at += width;
      }
      count += 1;
      if (at + count > bytes.length || to + count > length) throw damaged();
      bytes.copy(out, to, at, at + count);
      at += count;
      to += count;
      continue;
    }
    const width = kind === 1 ? 1 : kind === 2 ? 2 : 4;
    if (at + width > bytes.length) throw damaged();
    const count = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const offset = kind === 1 ? ((tag >>> 5) << 8) | (bytes[at] ?? 0) : bytes.readUIntLE(at, width);
    at += width;
    if (offset === 0 || offset > to || to + count > length) throw damaged();
    // Byte by byte: what is copied may overlap what it is copied to.
    for (let i = 0; i < count; i += 1, to += 1) out[to] = out[to - offset] ?? 0;
  }
  if (to !== length) throw damaged();
  return out;
};

const damaged = (): Damage => new Damage('what was sent does not unpack as snappy');
const tooLarge = (most: number): Damage => new Damage(`unpacks to more than ${most} bytes`);
