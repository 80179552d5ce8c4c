import { HoldfastError } from '#base/errors';

/**
 * - `address-in-use`, `address-refused`, `address-unavailable`: a listener could not be opened (EADDRINUSE; EACCES;
 *   anything else, such as an address that this machine does not have).
 * - `bad-allow-list`: who may speak is named by something that is no address and no network.
 * - `tls-files`: certificate, key or authority of a TLS listener are missing or cannot be used.
 * - `own-socket-in-use`: another receiver answers at `run/own.sock`.
 * - `own-socket-path`: `run/own.sock` cannot be made there.
 */
export type ReceiveErrorCode =
  | 'address-in-use'
  | 'address-refused'
  | 'address-unavailable'
  | 'bad-allow-list'
  | 'tls-files'
  | 'own-socket-in-use'
  | 'own-socket-path';

export class ReceiveError extends HoldfastError {
  readonly code: ReceiveErrorCode;

  constructor(code: ReceiveErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
