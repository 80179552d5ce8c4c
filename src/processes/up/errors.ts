import { HoldfastError } from '#base/errors';

export type UpErrorCode = 'already-running' | 'state-unusable' | 'not-ready' | 'configuration';

export class UpError extends HoldfastError {
  readonly code: UpErrorCode;

  constructor(code: UpErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
