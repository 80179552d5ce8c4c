import type { IncomingMessage } from 'node:http';
import type { BodyFormat } from './routes.ts';

/** What the index is told of a body, beside its bytes. */
export type BodyMeta = {
  via: 'http';
  format: BodyFormat;
  path: string;
  /** As it was sent; absent where there is none. */
  query?: string;
  /** Content-Type; `''` = none was given. */
  type: string;
  /** Content-Encoding: `identity`, `gzip`, `deflate`, `zstd`, `snappy`, or what else the sender called it. */
  encoding: string;
  /** Idempotency-Key; absent where there is none. */
  key?: string;
  /** User-Agent; `''` = none was given. */
  agent: string;
};

const mostText = 256;
const mostQuery = 1024;

/** @param path as `findRoute` takes it */
export const bodyMeta = (
  { headers }: Pick<IncomingMessage, 'headers'>,
  format: BodyFormat,
  path: string,
  query: string,
): BodyMeta => {
  const key = headers['idempotency-key'];
  const type = headers['content-type'] ?? '';
  return {
    via: 'http',
    format,
    path: path.slice(0, mostText),
    ...(query === '' ? {} : { query: query.slice(0, mostQuery) }),
    type: type.slice(0, mostText),
    encoding: encodingOf(headers['content-encoding'] ?? '', format, type),
    ...(typeof key === 'string' && key !== '' ? { key: key.slice(0, mostText) } : {}),
    agent: (headers['user-agent'] ?? '').slice(0, mostText),
  };
};

/** Loki's protobuf is compressed with snappy without a header that says so. */
const encodingOf = (given: string, format: BodyFormat, type: string): string => {
  const name = given.trim().toLowerCase().replace(/^x-/, '').slice(0, 64);
  if (name !== '' && name !== 'identity') return name;
  return format === 'loki' && /^application\/x-protobuf\b/i.test(type) ? 'snappy' : 'identity';
};
