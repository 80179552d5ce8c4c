import type { Clock } from '#base/clock';
import type { PendingDelivery } from './delivery-group.ts';
import type { IntakeWriteError } from './write-error.ts';

export type IntakeWriterOptions = {
  /** Exists, and is this process's to write. Never created here: an evidence store is not made by accident. */
  dir: string;
  clock: Clock;
  /** A file is not begun with a group that would take it beyond this. Default 64 MiB, or less on a small file system. */
  maxFileBytes?: number;
  /**
   * A group ends before it would grow beyond this; default 8 MiB. A quarter of it in the queue is written while the
   * fdatasync before still runs.
   */
  groupBytes?: number;
  /** `onPressure('high')` when this much is queued; default 32 MiB. */
  highWaterBytes?: number;
  /** `onPressure('low')` when it has fallen to this; default 8 MiB. */
  lowWaterBytes?: number;
  onPressure?: (level: 'high' | 'low') => void;
  /** How long after it was full the disk is tried again; default 1,000. */
  retryMs?: number;
  /** Keeps room on the disk for a last word when it is full (`reserve.ts`). Without it none is kept. */
  reserve?: IntakeReserve;
  /** No space (`full`), and space again (`available`) after that many milliseconds. */
  onSpace?: (space: IntakeSpace, fullForMs: number) => void;
  /** Called once; nothing is written or acknowledged afterwards. The process has to end. */
  onFault: (error: IntakeWriteError) => void;
};

export type IntakeReserve = {
  /** Bytes given up for the keeper when the disk is full; default by the size of the file system, at most 8 MiB. */
  bytes?: number;
  /** How often free space is looked at while nothing fails; default 5,000 ms. */
  lookEveryMs?: number;
  /** What to say, at most 16 KiB, when there is no space any more. */
  full(): PendingDelivery;
  /** What to say when the writer is closed while there is no space; `left` is what could not be stored. */
  closed(left: readonly PendingDelivery[]): PendingDelivery | null;
};

export type IntakeSpace = 'available' | 'full';
