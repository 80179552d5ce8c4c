import { IndexError } from '#index';
import { SearchError } from './errors.ts';

/** What the engine refused, as its reader is told; any other error as it is. */
export const refusal = (error: unknown): unknown => {
  if (!(error instanceof IndexError)) return error;
  if (error.code === 'engine-away')
    return new SearchError('could-not-look', `could not look: ${error.message}`, { cause: error });
  return error.code === 'engine-limit'
    ? new SearchError(
        'too-expensive',
        'the search ran into its limit of time or memory: narrow it by since:, until:, app: or host:, or ask for fewer lines',
        { cause: error },
      )
    : new SearchError('internal', error.message, { cause: error });
};
