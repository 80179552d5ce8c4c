import { VaultFormatError } from './format-error.ts';
import { tileWidth } from './tile-path.ts';

/** Bytes that an entry may have: its length is a u16. */
export const maxEntry = 65_535;

/** Most bytes that a bundle file can have. */
export const maxBundle = tileWidth * (2 + maxEntry);

/** One entry of a bundle: u16 length (big-endian) ‖ entry. */
export const encodeBundleEntry = (entry: Buffer): Buffer => {
  if (entry.length > maxEntry)
    throw new RangeError(`an entry is limited to ${maxEntry} bytes, got ${entry.length}`);
  const length = Buffer.allocUnsafe(2);
  length.writeUInt16BE(entry.length);
  return Buffer.concat([length, entry]);
};

/**
 * The entries of a bundle, as views.
 * @throws VaultFormatError unless there are exactly `width` of them and nothing else
 */
export const parseBundle = (bytes: Buffer, width: number): Buffer[] => {
  const entries: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 2 > bytes.length) throw new VaultFormatError(`bundle ends within a length, at byte ${at}`);
    const next = at + 2 + bytes.readUInt16BE(at);
    if (next > bytes.length) throw new VaultFormatError(`entry at byte ${at} leaves the bundle`);
    if (entries.length === width) throw new VaultFormatError(`bundle has more than ${width} entries`);
    entries.push(bytes.subarray(at + 2, next));
    at = next;
  }
  if (entries.length !== width)
    throw new VaultFormatError(`bundle has ${entries.length} entries, expected ${width}`);
  return entries;
};
