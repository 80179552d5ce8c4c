import { HoldfastError } from '#base/errors';

export type IndexErrorCode =
  /** The engine could not open its data directory: another process has it, or the disk refused. */
  | 'engine-open'
  /** The engine's directory was deleted while it was open. */
  | 'engine-gone'
  /** The engine refused a statement. */
  | 'engine-statement'
  /** A statement ran into its time or memory limit. */
  | 'engine-limit'
  /** The server or cluster that keeps the index cannot be reached, or cannot do its work now. */
  | 'engine-away'
  /** The engine was closed while the statement waited. */
  | 'engine-closed'
  /** A thread that reads lines has ended; what it was given is read again. */
  | 'thread-ended'
  /** The engine gave back rows in another layout than the schema's. */
  | 'row-layout';

export class IndexError extends HoldfastError {
  readonly code: IndexErrorCode;
  /** The engine's own error number, `null` where it gave none. */
  readonly engineCode: number | null;

  constructor(
    code: IndexErrorCode,
    message: string,
    options?: { cause?: unknown; engineCode?: number | null },
  ) {
    super(message, options);
    this.code = code;
    this.engineCode = options?.engineCode ?? null;
  }
}
