import { HoldfastError } from '#base/errors';

export type SearchErrorCode =
  /** The query has a mistake; `column` says where. */
  | 'bad-query'
  /** The request is not of the form that the socket takes. */
  | 'bad-request'
  /** It ran into its limit of time, memory or size. */
  | 'too-expensive'
  /** The reader did not show who it is (src/wire/reader.ts). */
  | 'unproven'
  /** Who read what could not be kept in the log, so nothing was answered. */
  | 'unrecorded'
  /** The server or cluster that keeps the index is away. */
  | 'could-not-look'
  | 'internal';

export class SearchError extends HoldfastError {
  readonly code: SearchErrorCode;
  /** Zero-based column in the query, `null` where the error has no place in it. */
  readonly column: number | null;
  readonly suggestion: string | null;

  constructor(
    code: SearchErrorCode,
    message: string,
    options?: { cause?: unknown; column?: number | null; suggestion?: string | null },
  ) {
    super(message, options);
    this.code = code;
    this.column = options?.column ?? null;
    this.suggestion = options?.suggestion ?? null;
  }
}

export const badQuery = (message: string, column: number, suggestion: string | null = null): SearchError =>
  new SearchError('bad-query', message, { column, suggestion });
