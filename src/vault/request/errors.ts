import { HoldfastError } from '#base/errors';

/**
 * Why a request was not answered.
 *
 * - `not-running`: no keeper is there to take it; it was withdrawn, nothing will be done
 * - `not-allowed`: this user may not ask the keeper
 * - `no-answer`: the keeper took it and did not answer in time; it may still do it
 * - `unwritable`: the request could not be handed over
 */
export type RequestErrorCode = 'not-running' | 'not-allowed' | 'no-answer' | 'unwritable';

export class RequestError extends HoldfastError {
  override readonly code: RequestErrorCode;

  constructor(code: RequestErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
