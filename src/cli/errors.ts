import { HoldfastError } from '#base/errors';
import { Exit } from './exit.ts';

export type CliErrorCode = 'usage' | 'could-not-look' | 'not-running' | 'refused';

/** What ends a command early, with its exit status. The message is for the person at the terminal. */
export class CliError extends HoldfastError {
  readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  get status(): Exit {
    return this.code === 'usage' ? Exit.usage : Exit.couldNotLook;
  }
}
