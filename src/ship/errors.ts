import { HoldfastError } from '#base/errors';

export type ShipErrorCode =
  /** The deliverer was closed while the line waited for room. */
  | 'closed'
  /** The line was not kept: too much waits for the receiver. */
  | 'spool-full'
  /** Another process holds the spool. */
  | 'spool-locked'
  /** The spool's own bytes do not check; going on could give one number to two lines. */
  | 'spool-damaged'
  /** A write or fsync of the spool failed in a way that leaves it unknown what is durable. */
  | 'spool-broken'
  /** The file system has no room for the spool; tried again by itself. */
  | 'no-space'
  /** Nobody answers on the receiver's socket, or no more. */
  | 'receiver-away'
  /** A file that is imported is damaged, or cut short. */
  | 'broken-content'
  /** journalctl printed something that is not the journal export format. */
  | 'not-export-format';

export class ShipError extends HoldfastError {
  readonly code: ShipErrorCode;

  constructor(code: ShipErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
