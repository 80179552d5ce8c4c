import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, systemCode } from '#base/errors';
import { lockFile } from '#base/file-lock';
import type { OwnLog } from '#base/own-log';
import { ShipError } from '../errors.ts';
import type { CursorChanges, Line } from '../line.ts';
import { encodeSpoolRecord, saltLength, segmentMagic } from './record.ts';
import { spoolReader, type SpoolReader } from './reader.ts';
import { scanSegment, type SpoolGap } from './segment.ts';

export type Segment = {
  path: string;
  ordinal: number;
  salt: Buffer;
  /** Number of its first line, or the next to be given when it was begun. */
  first: number;
  /** Number of its last line; `first - 1` if it has none. */
  last: number;
  /** Bytes that are durable. Readers stop here. */
  end: number;
  damage: { from: number; to: number }[];
};

/** Lines not yet acknowledged, and the positions of their sources, on disk. One process at a time. */
export type Spool = {
  /** Who numbers. Made with the spool and never again: a spool that was lost never reuses the numbers it gave. */
  readonly stream: string;
  readonly cursors: ReadonlyMap<string, unknown>;
  /** Lines that damage of the medium took, seen at opening. */
  readonly gaps: readonly SpoolGap[];
  /** The number of the newest durable line. */
  last(): number;
  acknowledged(): number;
  bytes(): number;
  /**
   * Makes lines and cursor changes durable, all or none, and numbers the lines. One call at a time.
   * @throws ShipError `no-space` (nothing changed, try again), `spool-broken`
   */
  append(lines: readonly Line[], cursors: CursorChanges): Promise<void>;
  /** Everything through this number is safe with the receiver. Frees whole segments. */
  acknowledge(through: number): Promise<void>;
  /** Durable lines with numbers greater than `after`, as they go over the wire. */
  read(after: number): SpoolReader;
  close(): Promise<void>;
};

const name = /^(\d{10})\.spool$/;
/** For a holder that is about to end. */
const holderPatienceMs = 5000;

/**
 * Opens the spool in `directory` (made if missing, 0700), dropping what a crash left torn.
 *
 * Order of system calls: a record is written and fdatasync'ed before it may be sent; a new segment is written,
 * fdatasync'ed and its directory fsync'ed before an old one may be unlinked. What was written but not yet durable
 * when the process died is made durable here, before anything is sent.
 *
 * @param segmentBytes a segment that has reached this size is followed by a new one
 * @throws ShipError `spool-locked`, `spool-damaged`
 */
export const openSpool = async (options: {
  directory: string;
  stream: string;
  segmentBytes: number;
  log: OwnLog;
}): Promise<Spool> => {
  const { directory, segmentBytes, log } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // Two writers would give one number to two lines.
  const lock = await lockFile(join(directory, 'lock'), holderPatienceMs);
  if (lock === null)
    throw new ShipError('spool-locked', `another process holds the spool ${directory}; end it first`);
  try {
    return await openLocked(directory, options.stream, segmentBytes, log, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
};

const openLocked = async (
  directory: string,
  streamName: string,
  segmentBytes: number,
  log: OwnLog,
  lock: { release(): void },
): Promise<Spool> => {
  const segments: Segment[] = [];
  const gaps: SpoolGap[] = [];
  const cursors = new Map<string, unknown>();
  let stream = `${streamName}-${randomBytes(8).toString('hex')}`;
  let next = 1;
  let acknowledged = 0;

  const apply = (changes: CursorChanges): void => {
    for (const [key, value] of Object.entries(changes)) {
      if (value === null) cursors.delete(key);
      else cursors.set(key, value);
    }
  };

  const names = (await readdir(directory)).filter((entry) => name.test(entry)).sort();
  for (const [index, entry] of names.entries()) {
    const path = join(directory, entry);
    const bytes = await readFile(path);
    const scanned = scanSegment(bytes);
    const snapshot = scanned?.records[0];
    const ordinal = Number(name.exec(entry)?.[1]);
    const isLast = index === names.length - 1;
    if (scanned === null || snapshot === undefined || snapshot.stream === null) {
      // A crash while a segment was begun leaves it without a whole first record; the one before it still counts.
      if (scanned === null && isLast && (segments.length > 0 || ordinal === 1)) {
        await unlink(path);
        continue;
      }
      throw new ShipError(
        'spool-damaged',
        `the spool segment ${path} does not begin with a whole snapshot: the medium has changed it. Move ${directory} away; a new stream begins, and the sources are read again from their beginning`,
      );
    }
    if (segments.length > 0 && snapshot.first > next) gaps.push({ first: next, last: snapshot.first - 1 });
    stream = snapshot.stream;
    next = snapshot.first;
    cursors.clear();
    for (const record of scanned.records) {
      if (record.first > next) gaps.push({ first: next, last: record.first - 1 });
      next = record.first + record.count;
      acknowledged = Math.max(acknowledged, record.acknowledged);
      apply(record.cursors);
    }
    const handle = await open(path, 'r+');
    try {
      if (scanned.end < bytes.length) {
        log(
          'warning',
          `dropped ${bytes.length - scanned.end} bytes that a crash left torn at the end of ${path}`,
        );
        await handle.truncate(scanned.end);
      }
      await handle.datasync();
    } finally {
      await handle.close();
    }
    const { salt, end, damage } = scanned;
    segments.push({ path, ordinal, salt, first: snapshot.first, last: next - 1, end, damage });
  }

  const syncDirectory = async (): Promise<void> => {
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  };

  let active: { segment: Segment; handle: FileHandle } | null = null;

  const begin = async (ordinal: number): Promise<{ segment: Segment; handle: FileHandle }> => {
    const path = join(directory, `${String(ordinal).padStart(10, '0')}.spool`);
    const salt = randomBytes(saltLength);
    const snapshot = encodeSpoolRecord(salt, {
      first: next,
      acknowledged,
      stream,
      cursors: Object.fromEntries(cursors),
      lines: [],
    });
    const bytes = Buffer.concat([segmentMagic, salt, snapshot]);
    const handle = await open(path, 'w+', 0o600);
    try {
      await writeWhole(handle, bytes, 0);
      await handle.datasync();
      await syncDirectory();
    } catch (error) {
      await handle.close();
      await unlink(path).catch(() => undefined);
      throw asShipError(error, `begin the spool segment ${path}`);
    }
    const segment = { path, ordinal, salt, first: next, last: next - 1, end: bytes.length, damage: [] };
    segments.push(segment);
    return { segment, handle };
  };

  const acknowledgedAtOpening = acknowledged;
  const newest = segments.at(-1);
  active = newest === undefined ? await begin(1) : { segment: newest, handle: await open(newest.path, 'r+') };

  const free = async (): Promise<void> => {
    for (;;) {
      const oldest = segments[0];
      if (oldest === undefined || oldest === active?.segment || oldest.last > acknowledged) return;
      segments.shift();
      await unlink(oldest.path).catch((error: unknown) =>
        log('warning', `remove ${oldest.path}: ${messageOf(error)}`),
      );
    }
  };
  await free();

  const activeForAppend = async (): Promise<{ segment: Segment; handle: FileHandle }> => {
    if (active !== null && active.segment.end < segmentBytes) return active;
    const full = active;
    active = await begin((segments.at(-1)?.ordinal ?? 0) + 1);
    await full?.handle.close();
    await free();
    return active;
  };

  return {
    stream,
    cursors,
    // What was acknowledged before the damage is safe with the receiver.
    gaps: gaps.filter((gap) => gap.last > acknowledgedAtOpening),
    last: () => next - 1,
    acknowledged: () => acknowledged,
    bytes: () => segments.reduce((sum, segment) => sum + segment.end, 0),
    async append(lines, changes) {
      const { segment, handle } = await activeForAppend();
      const record = encodeSpoolRecord(segment.salt, { first: next, acknowledged, cursors: changes, lines });
      try {
        await writeWhole(handle, record, segment.end);
      } catch (error) {
        await handle.truncate(segment.end);
        throw asShipError(error, `write to the spool ${segment.path}`);
      }
      try {
        await handle.datasync();
      } catch (error) {
        throw new ShipError(
          'spool-broken',
          `fdatasync of ${segment.path} failed: ${messageOf(error)}. What is durable is unknown until the spool is opened again; check the disk`,
          { cause: error },
        );
      }
      apply(changes);
      next += lines.length;
      segment.last = next - 1;
      segment.end += record.length;
    },
    async acknowledge(through) {
      acknowledged = Math.max(acknowledged, through);
      await free();
    },
    read: (after) => spoolReader(segments, after),
    async close() {
      await active?.handle.close();
      active = null;
      lock.release();
    },
  };
};

const writeWhole = async (handle: FileHandle, bytes: Buffer, position: number): Promise<void> => {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
};

const asShipError = (error: unknown, tried: string): ShipError => {
  const code = systemCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? new ShipError('no-space', `could not ${tried}: no room on the file system; make some`, { cause: error })
    : new ShipError('spool-broken', `could not ${tried}: ${messageOf(error)}`, { cause: error });
};
