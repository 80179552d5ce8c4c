import { messageOf } from '#base/errors';
import { IndexError } from '../errors.ts';

/** TIMEOUT_EXCEEDED, TOO_MANY_ROWS_OR_BYTES, MEMORY_LIMIT_EXCEEDED, TOO_SLOW */
const limitCodes = new Set([159, 160, 241, 307, 396]);

/** What the client or the engine threw. */
export const asIndexError = (error: unknown): IndexError => {
  if (error instanceof IndexError) return error;
  const code =
    typeof error === 'object' && error !== null && 'code' in error ? Number(error.code) : Number.NaN;
  const engineCode = Number.isInteger(code) ? code : null;
  const kind = engineCode !== null && limitCodes.has(engineCode) ? 'engine-limit' : 'engine-statement';
  return new IndexError(kind, `the index refused a statement: ${messageOf(error)}`, {
    cause: error,
    engineCode,
  });
};
