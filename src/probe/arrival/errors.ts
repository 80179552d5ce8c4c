import { HoldfastError } from '#base/errors';

export type ArrivalErrorCode = 'no-nft' | 'not-allowed' | 'failed';

/** Why arrivals cannot be counted on this host. */
export class ArrivalError extends HoldfastError {
  readonly code: ArrivalErrorCode;

  constructor(code: ArrivalErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
