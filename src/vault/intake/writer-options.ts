import type { Clock } from '#base/clock';
import type { IntakeWriteError } from './write-error.ts';

export type IntakeWriterOptions = {
  /** Exists, and is this process's to write. Never created here: an evidence store is not made by accident. */
  dir: string;
  clock: Clock;
  /** A file is not begun with a group that would take it beyond this. Default 64 MiB. */
  maxFileBytes?: number;
  /** `onPressure('high')` when this much is queued; default 32 MiB. */
  highWaterBytes?: number;
  /** `onPressure('low')` when it has fallen to this; default 8 MiB. */
  lowWaterBytes?: number;
  onPressure?: (level: 'high' | 'low') => void;
  /** No space (`full`), and space again (`available`) after that many milliseconds. */
  onSpace?: (space: IntakeSpace, fullForMs: number) => void;
  /** Called once; nothing is written or acknowledged afterwards. The process has to end. */
  onFault: (error: IntakeWriteError) => void;
};

export type IntakeSpace = 'available' | 'full';
