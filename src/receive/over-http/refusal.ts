import type { LedgerCause } from '../ledger.ts';

/** Why a request is not served: what its sender is told, and what the ledger is. */
export type Refusal = {
  status: number;
  cause: LedgerCause;
  text: string;
  /** Seconds after which it may come again. */
  retryAfter?: number;
  allow?: string;
};

export const refusals = {
  malformed: { status: 400, cause: 'malformed request', text: 'This is no HTTP/1.1 request.\n' },
  headTooLarge: { status: 431, cause: 'request head too large', text: 'The headers are too large.\n' },
  transferCoding: { status: 501, cause: 'malformed request', text: 'The only transfer coding is chunked.\n' },
  expectation: { status: 417, cause: 'malformed request', text: 'The only expectation is 100-continue.\n' },
  slow: { status: 408, cause: 'slow request', text: 'The request did not come in time.\n' },
  bodyTooLarge: { status: 413, cause: 'body too large', text: 'The body is too large. Send less at once.\n' },
  noMemory: {
    status: 503,
    cause: 'sent back',
    text: 'Too much is under way. Send it again.\n',
    retryAfter: 5,
  },
  congested: {
    status: 503,
    cause: 'sent back',
    text: 'The disk is behind. Send it again.\n',
    retryAfter: 5,
  },
  full: { status: 503, cause: 'disk full', text: 'The disk is full. Send it again later.\n', retryAfter: 30 },
  tooOften: {
    status: 429,
    cause: 'too many certificate requests',
    text: 'Certificates were asked for too often. Ask again later.\n',
    retryAfter: 60,
  },
  noCertificate: {
    status: 403,
    cause: 'no certificate',
    text: 'Show a certificate that the authority has issued. POST /enrol gives one to whoever has a token.\n',
  },
} as const satisfies Record<string, Refusal>;
