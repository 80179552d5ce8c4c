import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { micros, type Clock } from '#base/clock';
import {
  addRecord,
  isFull,
  newLines,
  senderNames,
  splitDelivery,
  type Delivery,
  type Lines,
} from '#vault/intake';
import { batchKeySize, batchLeaves, encodeSegment, sha256, treeRoot } from '#vault/tree';
import type { NewEntry } from './appender.ts';
import { selfRecord } from './self-record.ts';

/** A batch that is cut: what its outer entry says is known, once its segment is compressed. */
export type CutBatch = {
  entry: number;
  /** Bytes before compression. */
  plainLength: number;
  ready: Promise<Extract<NewEntry, { kind: 'batch' }>>;
};

export type BatchBuilder = {
  /** Milliseconds (clock.elapsed) at which the oldest line of the open batch came; `null` while it is empty. */
  openSince(): number | null;
  /** Splits a delivery into records. `cut` is called each time that the batch is full; it must call `builder.cut`. */
  add(delivery: Delivery, where: { file: string; from: number }, cut: () => Promise<void>): Promise<void>;
  /** Adds a line of the keeper's own. */
  addSelf(body: Record<string, unknown>, cut: () => Promise<void>): Promise<void>;
  /** Takes note of bytes that were lost before they became lines. */
  countLoss(bytes: number): void;
  /** Closes the batch as outer entry `entry` and begins an empty one. */
  cut(entry: number): CutBatch;
};

const compress = promisify(zstdCompress);

/** Senders that a manifest names one by one; what is beyond is counted. Bounds what strangers can make it hold. */
const maxSenders = 4096;

type Sender = { firstSequence: number; count: number };

/** Collects lines into batches. Only the hashing waits for the cut; the compression goes to another thread. */
export const newBatchBuilder = ({ clock, host }: { clock: Clock; host: string }): BatchBuilder => {
  const lines: Lines = newLines();
  let senders = new Map<string, Sender>();
  let others = { senders: 0, lines: 0 };
  let ranges: { file: string; from: number; to: number }[] = [];
  let lost = { pieces: 0, bytes: 0 };
  let earliest = Infinity;
  let latest = -Infinity;
  let since: number | null = null;

  const began = (received: number): void => {
    since ??= clock.elapsed();
    if (received < earliest) earliest = received;
    if (received > latest) latest = received;
  };

  const account = (sender: string, firstSequence: number, count: number): void => {
    const known = senders.get(sender);
    if (known !== undefined) known.count += count;
    else if (senders.size < maxSenders) senders.set(sender, { firstSequence, count });
    else others = { senders: others.senders + 1, lines: others.lines + count };
  };

  const addRange = (file: string, from: number, to: number): void => {
    const last = ranges.at(-1);
    if (last !== undefined && last.file === file && last.to >= from) last.to = to;
    else ranges.push({ file, from, to });
  };

  const manifest = (entry: number): Buffer =>
    selfRecord(
      {
        kind: 'manifest',
        entry,
        senders: [...senders].map(([sender, { firstSequence, count }]) => {
          const { listener, peer, stream } = senderNames(sender);
          return { listener, peer, stream, firstSequence, count };
        }),
        others,
        intake: ranges,
        lost,
      },
      { clock, host },
    );

  const reset = (): void => {
    lines.used = 0;
    lines.count = 0;
    senders = new Map();
    others = { senders: 0, lines: 0 };
    ranges = [];
    lost = { pieces: 0, bytes: 0 };
    earliest = Infinity;
    latest = -Infinity;
    since = null;
  };

  return {
    openSince: () => since,
    async add(delivery, { file, from }, cut) {
      const splitting = splitDelivery(delivery);
      const to = from + delivery.length;
      for (;;) {
        const first = lines.count;
        const count = splitting.fill(lines);
        if (count > 0) {
          began(delivery.received);
          account(delivery.sender, sequenceOf(lines, first), count);
        }
        addRange(file, from, to);
        if (splitting.done()) break;
        await cut();
      }
      if (isFull(lines)) await cut();
    },
    async addSelf(body, cut) {
      const record = selfRecord(body, { clock, host });
      addRecord(lines, record);
      began(record.readUInt32BE(8) * 0x1_0000_0000 + record.readUInt32BE(12));
      if (isFull(lines)) await cut();
    },
    countLoss(bytes) {
      lost = { pieces: lost.pieces + 1, bytes: lost.bytes + bytes };
    },
    cut(entry) {
      const first = manifest(entry);
      const key = randomBytes(batchKeySize);
      const records = Buffer.concat([first, lines.bytes.subarray(0, lines.used)]);
      const lineCount = lines.count + 1;
      const offsets = new Uint32Array(lineCount + 1);
      for (let i = 0; i < lines.count; i++) offsets[i + 1] = first.length + (lines.offsets[i] ?? 0);
      offsets[lineCount] = records.length;
      const plain = encodeSegment(key, lineCount, [records]);
      const about = {
        class: 'default',
        root: treeRoot(batchLeaves(records, offsets, key)),
        lines: lineCount,
        earliest: micros(earliest),
        latest: micros(latest),
      };
      reset();
      const ready = compress(plain, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }).then(
        (stored) => ({
          kind: 'batch' as const,
          entry: { ...about, segment: { sha256: sha256(stored), length: stored.length } },
          stored,
        }),
      );
      // Whoever awaits it sees the error; until then it must not count as unhandled.
      ready.catch(() => undefined);
      return { entry, plainLength: plain.length, ready };
    },
  };
};

const sequenceOf = (lines: Lines, line: number): number => {
  const at = (lines.offsets[line] ?? 0) + 16;
  return lines.bytes.readUInt32BE(at) * 0x1_0000_0000 + lines.bytes.readUInt32BE(at + 4);
};
