import { HoldfastError } from '#base/errors';

export type AlertErrorCode =
  /** What is kept of alerts cannot be opened or written. */
  | 'state-unusable'
  /** More keys in what was looked at at once than can be told apart. */
  | 'too-many'
  /** Nothing has that name. */
  | 'unknown-name';

export class AlertError extends HoldfastError {
  readonly code: AlertErrorCode;

  constructor(code: AlertErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
