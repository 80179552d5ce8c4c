import { HoldfastError } from '#base/errors';

export type ProbeErrorCode = 'bad-ports' | 'bad-host' | 'bad-token' | 'unknown-host' | 'no-way';

/** `bad-…`: what was asked for is wrong. `unknown-host`, `no-way`: nothing can be seen from here. */
export class ProbeError extends HoldfastError {
  readonly code: ProbeErrorCode;

  constructor(code: ProbeErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
