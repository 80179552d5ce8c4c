import { HoldfastError } from '#base/errors';

/**
 * - `usage`: the command line is wrong.
 * - `unavailable`: what the comparison needs cannot be had here (no package archive, not Linux with /proc).
 * - `wrong-count`: a line was lost, came twice or was changed. A run like that has no figures.
 * - `failed`: a process of the run did not do what it should.
 */
export type BenchErrorCode = 'usage' | 'unavailable' | 'wrong-count' | 'failed';

export class BenchError extends HoldfastError {
  readonly code: BenchErrorCode;

  constructor(code: BenchErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Exit status of the bench, as the product's own: 1 it is bad, 2 usage, 3 could not look. */
export const exitStatus: Record<BenchErrorCode, number> = {
  usage: 2,
  unavailable: 3,
  'wrong-count': 1,
  failed: 1,
};
