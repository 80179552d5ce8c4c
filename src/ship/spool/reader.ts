import { open, type FileHandle } from 'node:fs/promises';
import { ShipError } from '../errors.ts';
import { decodeSpoolRecord, framesAfter, segmentHeaderLength, spoolRecordLength } from './record.ts';
import type { Segment } from './spool.ts';

/** Reads durable frames in order. Belongs to one connection. */
export type SpoolReader = {
  /**
   * The next frames as they go over the wire, and the number of the last of them; `null` when none is durable yet.
   * @throws ShipError `spool-damaged`: bytes that checked when the spool was opened no longer do
   */
  next(): Promise<{ frames: Buffer; last: number } | null>;
  close(): Promise<void>;
};

/** `segments` is the spool's own list, oldest first, and changes under the reader's eyes. */
export const spoolReader = (segments: readonly Segment[], after: number): SpoolReader => {
  let sent = after;
  let current: { segment: Segment; handle: FileHandle; at: number } | null = null;

  const enter = async (segment: Segment): Promise<{ segment: Segment; handle: FileHandle; at: number }> => {
    await current?.handle.close();
    current = null;
    current = { segment, handle: await open(segment.path, 'r'), at: segmentHeaderLength };
    return current;
  };

  return {
    async next() {
      for (;;) {
        const place = current;
        if (place === null || place.at >= place.segment.end) {
          const following = segments.find((segment) =>
            place === null ? segment.last > sent : segment.ordinal > place.segment.ordinal,
          );
          if (following === undefined) return null;
          await enter(following);
          continue;
        }
        const hole = place.segment.damage.find((part) => part.from === place.at);
        if (hole !== undefined) {
          place.at = hole.to;
          continue;
        }
        const fixed = Buffer.alloc(16);
        await place.handle.read(fixed, 0, 16, place.at);
        const length = spoolRecordLength(fixed, place.segment.salt);
        const bytes = Buffer.allocUnsafe(Math.min(length ?? 0, place.segment.end - place.at));
        const { bytesRead } = await place.handle.read(bytes, 0, bytes.length, place.at);
        const record = decodeSpoolRecord(bytes.subarray(0, bytesRead), 0, place.segment.salt);
        if (record === null) {
          throw new ShipError(
            'spool-damaged',
            `the record at byte ${place.at} of ${place.segment.path} no longer checks; start again, so that what is lost can be reported`,
          );
        }
        place.at += record.next;
        const last = record.first + record.count - 1;
        if (record.count === 0 || last <= sent) continue;
        const frames = framesAfter(record.frames, sent);
        sent = last;
        return { frames, last };
      }
    },
    async close() {
      await current?.handle.close();
      current = null;
    },
  };
};
