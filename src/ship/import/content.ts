import { spawn } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { messageOf, systemCode } from '#base/errors';
import { ShipError } from '../errors.ts';

export type Compression = 'none' | Packer;

/** Programs that unpack with `-dc`. Node's own zstd ends at the first frame, and does not tell of what follows. */
type Packer = 'gzip' | 'zstd' | 'xz' | 'bzip2';

/** How a file begins: RFC 1952 §2.3.1, RFC 8878 §3.1.1, the .xz format §2.1.1.1, bzip2's `BZh`. */
const packers: readonly { program: Packer; magic: Buffer; ending: RegExp; debian: string }[] = [
  { program: 'gzip', magic: Buffer.from([0x1f, 0x8b]), ending: /\.gz$/, debian: 'gzip' },
  { program: 'zstd', magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), ending: /\.zstd?$/, debian: 'zstd' },
  {
    program: 'xz',
    magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
    ending: /\.xz$/,
    debian: 'xz-utils',
  },
  { program: 'bzip2', magic: Buffer.from('BZh'), ending: /\.bz2$/, debian: 'bzip2' },
];

const longestMagic = Math.max(...packers.map(({ magic }) => magic.length));

/**
 * By what the file begins with, whatever its name. Where it was cut off within its first bytes, or before them, its name
 * tells what was to come.
 * @throws the system's error
 */
export const compressionOf = (path: string): Compression => {
  const buffer = Buffer.alloc(longestMagic);
  const fd = openSync(path, 'r');
  try {
    const start = buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, 0));
    const cut = packers.find(
      ({ magic, ending }) => ending.test(path) && magic.subarray(0, start.length).equals(start),
    );
    return cut?.program ?? compressionIn(start);
  } finally {
    closeSync(fd);
  }
};

/** By the first bytes. */
export const compressionIn = (start: Buffer): Compression =>
  packers.find(({ magic }) => start.subarray(0, magic.length).equals(magic))?.program ?? 'none';

/**
 * A file's bytes without its compression, chunk by chunk; it is opened at the first. What can be read of a file that is
 * damaged or cut short comes first, then the error.
 * @throws ShipError `broken-content` from the iteration
 */
export const contentOf = (path: string, compression: Compression): AsyncIterable<Buffer> =>
  compression === 'none' ? plain(path) : unpacked(path, compression);

const chunkBytes = 256 * 1024;

async function* plain(path: string): AsyncGenerator<Buffer> {
  const file = await open(path).catch((error: unknown) => {
    throw broken('it', messageOf(error), error);
  });
  try {
    for (;;) {
      const read = await file.read({ buffer: Buffer.allocUnsafe(chunkBytes) }).catch((error: unknown) => {
        throw broken('it', messageOf(error), error);
      });
      if (read.bytesRead === 0) return;
      yield read.buffer.subarray(0, read.bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function* unpacked(path: string, program: Packer): AsyncGenerator<Buffer> {
  const made = `what ${program} made of it`;
  const file = await open(path).catch((error: unknown) => {
    throw broken(made, messageOf(error), error);
  });
  const child = spawn(program, ['-dc'], {
    stdio: [file.fd, 'pipe', 'pipe'],
    // Each of them takes options from the environment too.
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(0, 500)));
  const over = new Promise<Error | null>((resolve) => {
    child.on('error', (error) => resolve(systemCode(error) === 'ENOENT' ? missing(program) : error));
    // bzip2 ends with 0 also where something follows that it does not know.
    child.on('close', (status) => resolve(status === 0 && said === '' ? null : complaint(said, status)));
  });
  let bytes = 0;
  try {
    for await (const chunk of child.stdout ?? []) {
      if (!Buffer.isBuffer(chunk)) continue;
      bytes += chunk.length;
      yield chunk;
    }
  } finally {
    child.stdout?.destroy();
    await file.close();
  }
  const error = await over;
  if (error !== null)
    throw broken(made, `${messageOf(error)}${bytes === 0 ? '' : doubt(error.message)}`, error);
}

const missing = (program: Packer): Error => {
  const debian = packers.find((one) => one.program === program)?.debian;
  return new Error(`it takes the program ${program}: apt-get install ${debian}`);
};

/** The first line of what a program says, without its own name and `(stdin)`. */
const complaint = (said: string, status: number | null): Error => {
  const [line = ''] = said.trim().split('\n');
  const why = line.replace(/^(?:\w+: )?(?:\(?stdin\)?|\/\*stdin\*\\) ?: /, '').replace(/^\w+: |;$/g, '');
  return new Error(why.trim() || `it ended with ${status}`);
};

/** A checksum comes after what it is of: of damaged data, unlike of data that is cut short, some may have come out wrong. */
const doubt = (why: string): string =>
  /\bend\b|ends unexpectedly|trailing garbage/i.test(why)
    ? ''
    : '; the last lines before that may be garbled';

const broken = (what: string, why: string, cause: unknown): ShipError =>
  new ShipError('broken-content', `${what} cannot be read to the end: ${why}`, { cause });
