import { messageOf, systemCode } from '#base/errors';
import { IndexError } from '../errors.ts';

/** TIMEOUT_EXCEEDED, TOO_MANY_ROWS_OR_BYTES, MEMORY_LIMIT_EXCEEDED, TOO_SLOW */
const limitCodes = new Set([159, 160, 241, 307, 396]);

/**
 * What a server says that cannot do its work now: UNKNOWN_TABLE and UNKNOWN_DATABASE (not made yet), SOCKET_TIMEOUT, NETWORK_ERROR, TABLE_IS_READ_ONLY,
 * ALL_CONNECTION_TRIES_FAILED, TOO_FEW_LIVE_REPLICAS, UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE, UNKNOWN_STATUS_OF_INSERT,
 * REPLICA_IS_NOT_IN_QUORUM, ALL_REPLICAS_LOST, TIMEOUT_EXCEEDED of DDL (UNFINISHED), AUTHENTICATION_FAILED,
 * KEEPER_EXCEPTION
 */
const awayCodes = new Set([60, 81, 209, 210, 242, 279, 285, 286, 289, 319, 415, 341, 516, 999]);

/**
 * What the client or the engine threw.
 * @param server where it is asked, if it is not in this process: then whatever the engine did not say means that it
 *   could not be reached
 */
export const asIndexError = (error: unknown, server: string | null = null): IndexError => {
  if (error instanceof IndexError) return error;
  const code =
    typeof error === 'object' && error !== null && 'code' in error ? Number(error.code) : Number.NaN;
  const engineCode = Number.isInteger(code) ? code : null;
  if (server !== null && (engineCode === null || awayCodes.has(engineCode)))
    return new IndexError('engine-away', `the index at ${server} cannot be asked: ${whyOf(error)}`, {
      cause: error,
      engineCode,
    });
  const kind = engineCode !== null && limitCodes.has(engineCode) ? 'engine-limit' : 'engine-statement';
  return new IndexError(kind, `the index refused a statement: ${messageOf(error)}`, {
    cause: error,
    engineCode,
  });
};

/** Errors of the network often have no text of their own. */
const whyOf = (error: unknown): string => messageOf(error) || (systemCode(error) ?? 'it does not answer');

/** Whether trying again later may help. */
export const isAway = (error: unknown): boolean =>
  error instanceof IndexError && error.code === 'engine-away';
