import { HoldfastError } from '#base/errors';

/**
 * - `address-in-use`, `address-refused`, `address-unavailable`: a listener could not be opened (EADDRINUSE; EACCES;
 *   anything else, such as an address that this machine does not have).
 * - `own-socket-in-use`: another receiver answers at `run/own.sock`.
 * - `own-socket-path`: `run/own.sock` cannot be made there.
 */
export type ReceiveErrorCode =
  'address-in-use' | 'address-refused' | 'address-unavailable' | 'own-socket-in-use' | 'own-socket-path';

export class ReceiveError extends HoldfastError {
  readonly code: ReceiveErrorCode;

  constructor(code: ReceiveErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
