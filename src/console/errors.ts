import { HoldfastError } from '#base/errors';
import type { SearchError } from '#wire/search';

export type ConsoleErrorCode =
  /** The configured host is no loopback address. */
  | 'not-loopback'
  /** The token's file is missing, empty, short, or readable by everyone. */
  | 'token-unusable'
  /** What the browser sent does not fit the schema. */
  | 'bad-request'
  /** Nobody answers on `run/search.sock`, or it fell silent in the middle. */
  | 'search-away'
  /** Search answered with an error of its own; `refusal` has it. */
  | 'search-refused'
  /** What search sent does not fit `src/wire/search.ts`. */
  | 'search-garbled'
  | 'too-many-tails';

export class ConsoleError extends HoldfastError {
  override readonly code: ConsoleErrorCode;
  /** HTTP status of search's own answer, and that answer: only for `search-refused`. */
  readonly refusal: { status: number; error: SearchError['error'] } | null;

  constructor(
    code: ConsoleErrorCode,
    message: string,
    options: { cause?: unknown; refusal?: { status: number; error: SearchError['error'] } } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.refusal = options.refusal ?? null;
  }
}

/** HTTP status that a browser gets for each code. */
export const httpStatus: Record<ConsoleErrorCode, number> = {
  'not-loopback': 500,
  'token-unusable': 500,
  'bad-request': 400,
  'search-away': 503,
  'search-refused': 400,
  'search-garbled': 502,
  'too-many-tails': 429,
};
