/** One answer, whole. Bodies are bounded by what may be served, and all that are under way together by the server. */
export type Answer = {
  status: 200 | 202 | 304 | 400 | 403 | 404 | 405 | 408 | 413 | 422 | 429 | 500 | 503;
  type: 'text/plain; charset=utf-8' | 'application/octet-stream';
  /** `immutable`: these bytes under this name, for ever. `changes`: ask again each time. */
  cache: 'immutable' | 'changes' | 'never';
  body: Buffer;
  /** Seconds after which it is worth another try. */
  retryAfter?: number;
};

const text = 'text/plain; charset=utf-8';

/** Words for a person or a log: one sentence or two, ended by LF. They never quote the request. */
export const words = (status: Answer['status'], message: string, retryAfter?: number): Answer => ({
  status,
  type: text,
  cache: 'never',
  body: Buffer.from(`${message}\n`),
  ...(retryAfter === undefined ? {} : { retryAfter }),
});

export const textOf = (body: Buffer): Answer => ({ status: 200, type: text, cache: 'changes', body });

export const bytesOf = (body: Buffer, cache: 'immutable' | 'changes'): Answer => ({
  status: 200,
  type: 'application/octet-stream',
  cache,
  body,
});
