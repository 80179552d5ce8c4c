import { HoldfastError } from '#base/errors';

/**
 * - `absent`: there is no witness there, or a part of one is missing; nothing is created implicitly
 * - `exists`: what was to be made is there already, and is another one
 * - `bad-key`: private key, public key and name do not belong together
 * - `in-use`: another process is this witness
 * - `memory-damaged`: what is remembered of a log is not what was written; its origin is stopped
 * - `memory-absent`: a log is to be witnessed of which nothing was ever remembered, or whose memory was lost
 * - `stopped`: the log contradicted itself; an operator must look
 * - `not-stored`: nothing could be written, and so nothing was signed
 * - `address`: cannot listen there
 * - `away`: somebody does not answer
 * - `bad-answer`: somebody answers, but not as the protocol says
 */
export type WitnessErrorCode =
  | 'absent'
  | 'exists'
  | 'bad-key'
  | 'in-use'
  | 'memory-damaged'
  | 'memory-absent'
  | 'stopped'
  | 'not-stored'
  | 'address'
  | 'away'
  | 'bad-answer';

export class WitnessError extends HoldfastError {
  override readonly code: WitnessErrorCode;

  constructor(code: WitnessErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
