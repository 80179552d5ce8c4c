import { HoldfastError } from '#base/errors';

/**
 * - `socket-in-use`: another publisher answers at the socket's path
 * - `socket-path`: no socket can be made there
 * - `address`: the TCP address cannot be listened on
 * - `away`: the receiver is not there, or does not acknowledge; try again
 * - `busy`: too much waits for the receiver already; try again
 */
export type PublishErrorCode = 'socket-in-use' | 'socket-path' | 'address' | 'away' | 'busy';

export class PublishError extends HoldfastError {
  override readonly code: PublishErrorCode;

  constructor(code: PublishErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
