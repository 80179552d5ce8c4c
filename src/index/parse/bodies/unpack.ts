import {
  brotliDecompressSync,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
  type InputType,
} from 'node:zlib';
import { systemCode } from '#base/errors';
import { Damage } from './part.ts';
import { unpackSnappy } from './snappy.ts';

/** What a body may unpack to: a few kilobytes of it can stand for gigabytes. */
export const mostUnpacked = 64 * 1024 * 1024;

/** No log is as repetitive as this. Small bodies are let off. */
const mostRatio = 250;
const littleEnough = 1024 * 1024;

type Unpack = (bytes: InputType, options: { maxOutputLength: number }) => Buffer;

const unpackers: Readonly<Record<string, Unpack>> = {
  gzip: gunzipSync,
  zstd: zstdDecompressSync,
  br: brotliDecompressSync,
  // RFC 9110 §8.4.1.2 means zlib's format; some clients send it without zlib's header.
  deflate: (bytes, options) => {
    try {
      return inflateSync(bytes, options);
    } catch (error) {
      if (systemCode(error) === tooLarge) throw error;
      return inflateRawSync(bytes, options);
    }
  },
};

const tooLarge = 'ERR_BUFFER_TOO_LARGE';

/**
 * A body without its compression; the same buffer where it has none.
 * @param encoding Content-Encoding in lower case
 * @param allowed bytes that it may come to, if its own length allows them too
 * @throws Damage
 */
export const unpack = (bytes: Buffer, encoding: string, allowed: number = mostUnpacked): Buffer => {
  const most = Math.min(allowed, Math.max(littleEnough, bytes.length * mostRatio));
  if (encoding === 'identity' || encoding === '') return bytes;
  if (encoding.startsWith('snappy')) return unpackSnappy(bytes, most);
  const unpacker = Object.hasOwn(unpackers, encoding) ? unpackers[encoding] : undefined;
  if (unpacker === undefined) throw new Damage(`unknown encoding ${encoding}`);
  try {
    return unpacker(bytes, { maxOutputLength: most });
  } catch (error) {
    throw new Damage(
      systemCode(error) === tooLarge
        ? `unpacks to more than ${most} bytes`
        : `what was sent does not unpack as ${encoding}`,
    );
  }
};

/** GELF's own compression, told by its first bytes (gzip: RFC 1952 §2.3.1; zlib: RFC 1950 §2.2). */
export const encodingByMagic = (bytes: Buffer): string => {
  const [first = 0, second = 0] = bytes;
  if (first === 0x1f && second === 0x8b) return 'gzip';
  if (first === 0x28 && second === 0xb5) return 'zstd';
  return (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0 ? 'deflate' : 'identity';
};
