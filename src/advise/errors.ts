import { HoldfastError } from '#base/errors';

/** - `unknown-service`: a service was asked for by a name that the table of known services does not have. */
export type AdviseErrorCode = 'unknown-service';

export class AdviseError extends HoldfastError {
  readonly code: AdviseErrorCode;

  constructor(code: AdviseErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
