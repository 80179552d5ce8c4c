/**
 * Base of every room's error class. `code` comes from that room's closed union, so that tests and callers match
 * the code and never the message. The message says what was tried, on what, and what to do next.
 */
export abstract class HoldfastError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The `code` of a Node system error (`ENOENT`, `ENOSPC`, …), or `null` where the value is not one. */
export const systemCode = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Whether this user may not do what was tried (EACCES, EPERM), for the error itself or for what caused it. */
export const isForbidden = (error: unknown): boolean => {
  let at = error;
  for (let depth = 0; at instanceof Error && depth < 8; depth++) {
    if (systemCode(at) === 'EACCES' || systemCode(at) === 'EPERM') return true;
    at = at.cause;
  }
  return false;
};
