import { randomBytes } from 'node:crypto';
import { micros, type Clock } from '#base/clock';
import {
  addRecord,
  headroom,
  isFull,
  newLines,
  senderNames,
  splitDelivery,
  type Delivery,
  type Lines,
} from '#vault/intake';
import { batchKeySize, encodeSegment, segmentHeader } from '#vault/tree';
import type { NewEntry } from './appender.ts';
import { openSealing } from './sealing.ts';
import { selfRecord } from './self-record.ts';

/** A batch that is cut: what its outer entry says is known, once its lines are hashed and its segment is compressed. */
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
  /** Ends its thread; batches that are not ready by then never are. */
  close(): Promise<void>;
};

/** Senders that a manifest names one by one; what is beyond is counted. Bounds what strangers can make it hold. */
const maxSenders = 4096;

type Sender = { firstSequence: number; count: number };

/** Collects lines into batches. What a cut batch takes, hashing and compression, is done in other threads. */
export const newBatchBuilder = ({ clock, host }: { clock: Clock; host: string }): BatchBuilder => {
  const sealing = openSealing();
  let lines: Lines = newLines();
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
    lines = newLines(sealing.spare());
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
      const lineCount = lines.count + 1;
      const plain = assemble(lines, encodeSegment(key, lineCount, [first]));
      const recordsAt = segmentHeader;
      const offsets = new Uint32Array(lineCount + 1);
      offsets[0] = recordsAt;
      for (let i = 0; i < lines.count; i++)
        offsets[i + 1] = recordsAt + first.length + (lines.offsets[i] ?? 0);
      offsets[lineCount] = plain.length;
      const about = {
        class: 'default',
        lines: lineCount,
        earliest: micros(earliest),
        latest: micros(latest),
      };
      const plainLength = plain.length;
      const ready = sealing.seal({ plain, offsets, key }).then(({ root, stored, sha256 }) => ({
        kind: 'batch' as const,
        entry: { ...about, root, segment: { sha256, length: stored.length } },
        stored,
      }));
      // Whoever awaits it sees the error; until then it must not count as unhandled.
      ready.catch(() => undefined);
      reset();
      return { entry, plainLength, ready };
    },
    close: () => sealing.close(),
  };
};

/** `front`, then the lines: in the memory of the lines where there is room before them. */
const assemble = ({ bytes, used }: Lines, front: Buffer): Buffer<ArrayBuffer> => {
  if (front.length > headroom) {
    const plain = Buffer.from(new ArrayBuffer(front.length + used));
    front.copy(plain);
    bytes.copy(plain, front.length, 0, used);
    return plain;
  }
  const plain = Buffer.from(bytes.buffer, bytes.byteOffset - front.length, front.length + used);
  front.copy(plain);
  return plain;
};

const sequenceOf = (lines: Lines, line: number): number => {
  const at = (lines.offsets[line] ?? 0) + 16;
  return lines.bytes.readUInt32BE(at) * 0x1_0000_0000 + lines.bytes.readUInt32BE(at + 4);
};
