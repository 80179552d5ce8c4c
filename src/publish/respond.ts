import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange } from '#http';
import { sha256 } from '#vault/tree';
import { words, type Answer } from './answer.ts';

/** How long a full tile may be kept: a year, the most that caches are asked for. */
const immutable = 'public, max-age=31536000, immutable';

const cacheControl: Record<Answer['cache'], string> = {
  immutable,
  // An answer may be kept, and must be asked for again with its ETag each time.
  changes: 'no-cache',
  never: 'no-store',
};

/** Sends an answer whole. A body for which there is no room among all that are under way is not sent: 503. */
export const respond = (
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  exchange: Exchange,
): void => {
  const length = request.method === 'HEAD' ? 0 : answer.body.length;
  const { status, type, cache, body, retryAfter } = exchange.holds(length)
    ? answer
    : words(503, 'too many slow readers at once: try again', 10);
  const etag = status === 200 ? `"${sha256(body).toString('hex', 0, 16)}"` : null;
  response.setHeader('cache-control', cacheControl[cache]);
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('content-security-policy', "default-src 'none'");
  if (etag !== null) response.setHeader('etag', etag);
  if (status === 405) response.setHeader('allow', 'GET, HEAD');
  if (retryAfter !== undefined) response.setHeader('retry-after', String(retryAfter));
  if (etag !== null && request.headers['if-none-match'] === etag) {
    response.writeHead(304).end();
    return;
  }
  response.setHeader('content-type', type);
  response.setHeader('content-length', body.length);
  response.writeHead(status);
  response.end(request.method === 'HEAD' ? undefined : body);
};
