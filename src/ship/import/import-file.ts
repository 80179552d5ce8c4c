import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { messageOf } from '#base/errors';
import { ShipError } from '../errors.ts';
import type { LineMeta } from '#wire/own';
import { compressionIn, compressionOf, contentOf, type Compression } from './content.ts';
import { formatOf, splitter, type Entry, type ImportFormat, type Splitter } from './entries.ts';
import { openOwnSender, type OwnSender } from './own-sender.ts';
import { dayInName } from './rotated.ts';

/** One file, or standard input, as it is to be imported. */
export type ImportSource = {
  /** Absolute, or `stdin`. */
  path: string;
  /** Host of lines that name none. */
  host: string;
  /** No line is later than a day after this, µs since the epoch: by it a missing year is told. */
  writtenBy: number;
  compression: Compression;
  /** Bytes without compression. */
  content: AsyncIterable<Buffer>;
};

export type ImportOptions = {
  /** Path of `run/own.sock`. */
  socket: string;
  /** Told now and then: lines that are durable with the receiver, and bytes that were read. */
  onProgress(lines: number, bytes: number): void;
};

export type Imported = {
  /** Of the lines in the log; the same for the same beginning of a file, format and host. `null`: it was empty. */
  stream: string | null;
  format: ImportFormat;
  /** Lines, or entries of a journal, that are durable with the receiver: numbers 1 to this. */
  lines: number;
  /** Bytes, without compression. */
  bytes: number;
  /** Why it was not read to its end: the rest is not imported. */
  broken: string | null;
};

/** So much of a file tells which it is. A file that has grown since is still the same, and so is its compressed copy. */
const tellingBytes = 4096;

const noText =
  'it is no text (a journal is imported by journalctl --file … -o export | holdfast logs import -)';

/** Standard input, or whatever else is read once. @param writtenBy µs since the epoch */
export const streamSource = (
  stream: AsyncIterable<Buffer>,
  host: string,
  writtenBy: number,
): ImportSource => ({
  path: 'stdin',
  host,
  writtenBy,
  compression: 'none',
  content: uncompressed(stream),
});

async function* uncompressed(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let isFirst = true;
  for await (const chunk of stream) {
    const compression = isFirst ? compressionIn(chunk) : 'none';
    if (compression !== 'none')
      throw new ShipError(
        'broken-content',
        `it is compressed with ${compression}: unpack it on its way here`,
      );
    isFirst = false;
    yield chunk;
  }
}

/** @throws the system's error if it cannot be opened */
export const fileSource = (path: string, host: string, writtenBy: number | null): ImportSource => {
  const { mtimeMs } = statSync(path);
  const compression = compressionOf(path);
  const known = dayInName(path);
  const by = writtenBy ?? Math.round(Math.min(mtimeMs, known ?? mtimeMs) * 1000);
  return { path, host, writtenBy: by, compression, content: contentOf(path, compression) };
};

/**
 * Sends a file's lines to the receiver, numbered from 1 in a stream that is named after how the file begins: one that is
 * sent again, wholly or in part, is in search once. Holds a few megabytes of it at a time.
 * @throws ShipError `receiver-away`
 */
export const importFile = async (source: ImportSource, options: ImportOptions): Promise<Imported> => {
  const chunks = source.content[Symbol.asyncIterator]();
  const state = { bytes: 0, broken: null as string | null };
  const next = async (): Promise<Buffer | null> => {
    try {
      const read = await chunks.next();
      if (read.done === true) return null;
      state.bytes += read.value.length;
      return read.value;
    } catch (error) {
      state.broken = messageOf(error);
      return null;
    }
  };

  let start: Buffer = Buffer.alloc(0);
  let ended = false;
  while (start.length < tellingBytes && !ended) {
    const chunk = await next();
    if (chunk === null) ended = true;
    else start = Buffer.concat([start, chunk]);
  }
  const format = formatOf(start);
  if (start.length === 0) return { stream: null, format, lines: 0, bytes: 0, broken: state.broken };
  if (format === 'lines' && start.subarray(0, tellingBytes).includes(0))
    return { stream: null, format, lines: 0, bytes: state.bytes, broken: noText };
  const stream = streamOf(source.host, format, start.subarray(0, tellingBytes));
  const meta: LineMeta = {
    via: 'import',
    host: source.host,
    path: source.path,
    writtenBy: source.writtenBy,
    backfill: true,
    ...(format === 'journal' ? { format } : {}),
  };
  const sender = await openOwnSender(options.socket, { sender: 'import', stream });
  try {
    const split = splitter(format);
    const send = async (entries: readonly Entry[]): Promise<void> => {
      for (const { raw, ...marks } of entries) await sender.send({ meta: { ...meta, ...marks }, raw });
      options.onProgress(sender.acknowledged(), state.bytes);
    };
    let chunk: Buffer | null = start;
    while (chunk !== null) {
      const { entries, fault } = splitBy(split, chunk);
      await send(entries);
      if (fault !== null) state.broken = fault;
      chunk = ended || fault !== null ? null : await next();
    }
    // What a broken file ends with may be half a line.
    const rest = state.broken === null ? split.rest() : null;
    if (rest !== null) await send([rest]);
    await sender.flushed();
    options.onProgress(sender.acknowledged(), state.bytes);
    return { stream, format, lines: sender.acknowledged(), bytes: state.bytes, broken: state.broken };
  } catch (error) {
    throw awayAt(error, sender);
  } finally {
    sender.close();
    await chunks.return?.();
  }
};

/** @returns why what follows is no export of a journal any more */
const splitBy = (split: Splitter, chunk: Buffer): { entries: Entry[]; fault: string | null } => {
  try {
    return { entries: split.push(chunk), fault: null };
  } catch (error) {
    if (!(error instanceof ShipError)) throw error;
    return { entries: [], fault: messageOf(error) };
  }
};

const awayAt = (error: unknown, sender: OwnSender): unknown =>
  error instanceof ShipError && error.code === 'receiver-away'
    ? new ShipError('receiver-away', `${error.message}; lines 1 to ${sender.acknowledged()} are in the log`, {
        cause: error,
      })
    : error;

const streamOf = (host: string, format: ImportFormat, start: Buffer): string =>
  `import-${createHash('sha256').update(`${format}\n${host}\n`).update(start).digest('hex').slice(0, 32)}`;
