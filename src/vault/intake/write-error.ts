import { HoldfastError, messageOf, systemCode } from '#base/errors';

/**
 * - `intake-unwritable`: the directory cannot be opened or written to.
 * - `intake-not-durable`: a write or fsync failed in a way after which the page cache cannot be trusted. The process
 *   must end: what was not acknowledged is the senders' to send again.
 * - `intake-full`: closed while there was no space for what was queued.
 * - `intake-closed`: used after `close()` or after a fault.
 */
export type IntakeWriteErrorCode =
  'intake-unwritable' | 'intake-not-durable' | 'intake-full' | 'intake-closed';

export class IntakeWriteError extends HoldfastError {
  readonly code: IntakeWriteErrorCode;

  constructor(code: IntakeWriteErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export const isNoSpace = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '');

export const unwritable = (dir: string, cause: unknown): IntakeWriteError =>
  new IntakeWriteError(
    'intake-unwritable',
    `cannot write to ${dir}: ${messageOf(cause)}. The directory must exist and belong to the receiver's user`,
    { cause },
  );

export const notDurable = (dir: string, cause: unknown): IntakeWriteError =>
  new IntakeWriteError(
    'intake-not-durable',
    `writing to ${dir} failed: ${messageOf(cause)}. What was not acknowledged may be lost from the page cache, so ` +
      'the receiver stops; check the disk, then start again',
    { cause },
  );
