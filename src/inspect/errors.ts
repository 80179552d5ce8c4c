import { HoldfastError } from '#base/errors';

/**
 * - `malformed-table`: a table of the kernel does not have the form that its documentation gives it.
 * - `command-failed`: a program of the host that was asked for a fact could not be run, or said no.
 */
export type InspectErrorCode = 'malformed-table' | 'command-failed';

/** A fact of the host could not be had. Collectors turn it into a `CouldNotLook`; it never leaves this room. */
export class InspectError extends HoldfastError {
  readonly code: InspectErrorCode;

  constructor(code: InspectErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
