import { HoldfastError } from '#base/errors';

/**
 * - `could-not-look`: not root, no systemd, or a tool is missing;
 * - `no-such-door`, `ambiguous-door`: what was named is none, or several;
 * - `no-knob`: it is not known how to change this service by itself;
 * - `risk-not-accepted`: the plan names risks that nobody has accepted;
 * - `locked`: another fix or undo is at work;
 * - `check-failed`: a check before the change said no, and nothing was changed;
 * - `no-such-fix`: there is none of that name, or none to undo;
 * - `changed-since`: a file is no longer what the fix had written;
 * - `not-written`: a file could not be put into its place;
 * - `damaged`: the journal or a backup cannot be read.
 */
export type FixErrorCode =
  | 'could-not-look'
  | 'no-such-door'
  | 'ambiguous-door'
  | 'no-knob'
  | 'risk-not-accepted'
  | 'locked'
  | 'check-failed'
  | 'no-such-fix'
  | 'changed-since'
  | 'not-written'
  | 'damaged';

export class FixError extends HoldfastError {
  readonly code: FixErrorCode;

  constructor(code: FixErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
