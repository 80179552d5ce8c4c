import { HoldfastError } from '#base/errors';

/**
 * - `not-running`: nobody answers requests
 * - `no-answer`: the request was taken, or may have been, and no answer came in time
 * - `not-allowed`: this user may not ask
 * - `unusable-file`: a file of the authority's, or of this host's, cannot be read or written, or makes no sense
 * - `authority-lost`: the book says there is an authority, and its key is gone
 * - `already-running`: another issuer has the book
 * - `bad-token`: what was given is no token
 * - `wrong-authority`: the server shows an authority with another fingerprint
 * - `unreachable`: the server does not answer, or TLS does not come about
 * - `refused`: the issuer refused; the message says why
 */
export type PkiErrorCode =
  | 'not-running'
  | 'no-answer'
  | 'not-allowed'
  | 'unusable-file'
  | 'authority-lost'
  | 'already-running'
  | 'bad-token'
  | 'wrong-authority'
  | 'unreachable'
  | 'refused';

export class PkiError extends HoldfastError {
  readonly code: PkiErrorCode;

  constructor(code: PkiErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
