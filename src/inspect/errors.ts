import { HoldfastError, messageOf } from '#base/errors';

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

/**
 * What a program of the host said last before it failed: the last line of its standard error, else the error's own
 * message. Node's message for a failed child repeats the whole command, which may be a script of several lines.
 */
export const lastWordOf = (error: unknown): string => {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  return said.trim().split('\n').at(-1)?.trim() || messageOf(error).trim();
};
