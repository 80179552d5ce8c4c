import { spawn } from 'node:child_process';
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { messageOf, systemCode } from '#base/errors';
import { ShipError } from '../errors.ts';

export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';

/** RFC 1952 §2.3.1, RFC 8878 §3.1.1, the .xz format §2.1.1.1, bzip2's `BZh`. */
const magics: readonly [Exclude<Compression, 'none'>, Buffer][] = [
  ['gzip', Buffer.from([0x1f, 0x8b])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ['bzip2', Buffer.from('BZh')],
];

/** By what the file begins with, whatever its name. @throws the system's error */
export const compressionOf = (path: string): Compression => {
  const start = Buffer.alloc(6);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, start, 0, start.length, 0);
  } finally {
    closeSync(fd);
  }
  return compressionIn(start);
};

/** By the first bytes. */
export const compressionIn = (start: Buffer): Compression =>
  magics.find(([, magic]) => start.subarray(0, magic.length).equals(magic))?.[0] ?? 'none';

/**
 * A file's bytes without its compression, chunk by chunk. What can be read of a file that is damaged or cut short comes
 * first, then the error.
 * @throws ShipError `broken-content` from the iteration
 */
export const contentOf = (path: string, compression: Compression): AsyncIterable<Buffer> =>
  compression === 'xz' || compression === 'bzip2'
    ? unpackedBy(compression, path)
    : reading(compression, path);

const streamOf = (path: string, compression: 'none' | 'gzip' | 'zstd'): Readable => {
  const file = createReadStream(path, { highWaterMark: 256 * 1024 });
  if (compression === 'none') return file;
  const unpack = compression === 'gzip' ? createGunzip() : createZstdDecompress();
  // The error comes by `unpack` too, after what was read before it.
  return pipeline(file, unpack, () => undefined);
};

/** The file is opened by whoever reads: an error before that would have nobody to take it. */
async function* reading(compression: 'none' | 'gzip' | 'zstd', path: string): AsyncGenerator<Buffer> {
  const stream = streamOf(path, compression);
  const chunks: Buffer[] = [];
  let ended: { error: Error | null } | null = null;
  let wake: (() => void) | null = null;
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    if (chunks.length >= 8) stream.pause();
    wake?.();
  });
  const end = (error: Error | null): void => {
    ended ??= { error };
    wake?.();
  };
  stream.on('error', end);
  stream.on('close', () => end(null));
  try {
    for (;;) {
      const chunk = chunks.shift();
      if (chunk !== undefined) {
        yield chunk;
        continue;
      }
      if (ended !== null) break;
      stream.resume();
      await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    stream.destroy();
  }
  const { error }: { error: Error | null } = ended;
  if (error !== null) throw broken(compression, messageOf(error), error);
}

/** xz and bzip2 have no place in Node: their own programs, which Debian installs, unpack them. */
async function* unpackedBy(program: 'xz' | 'bzip2', path: string): AsyncGenerator<Buffer> {
  const child = spawn(program, ['-dc', '--', path], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(0, 500)));
  const over = new Promise<Error | null>((resolve) => {
    child.on('error', (error) =>
      resolve(
        systemCode(error) === 'ENOENT'
          ? new Error(
              `it takes the program ${program} to read it: apt-get install ${program === 'xz' ? 'xz-utils' : program}`,
            )
          : error,
      ),
    );
    child.on('close', (status) =>
      resolve(status === 0 ? null : new Error(said.trim() || `${program} ended with ${status}`)),
    );
  });
  try {
    for await (const chunk of child.stdout) if (Buffer.isBuffer(chunk)) yield chunk;
  } finally {
    child.stdout.destroy();
  }
  const error = await over;
  if (error !== null) throw broken(program, messageOf(error), error);
}

/** A checksum comes after what it is of: of damaged data, unlike of data that is cut short, some may have come out wrong. */
const isCut = (why: string): boolean => /unexpected end/i.test(why);

const broken = (compression: Compression, why: string, cause: unknown): ShipError =>
  new ShipError(
    'broken-content',
    `${compression === 'none' ? 'it' : `what ${compression} made of it`} cannot be read to the end: ${why}${compression === 'none' || isCut(why) ? '' : '; the last lines before that may be garbled'}`,
    { cause },
  );
