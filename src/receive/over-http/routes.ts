/** In which format a body is, as `meta.format` says. */
export type BodyFormat = 'otlp' | 'loki' | 'bulk' | 'jsonl' | 'gelf' | 'journal';

/** What a path is for. */
export type Route =
  | {
      kind: 'store';
      format: BodyFormat;
      answer: 'journal' | 'otlp' | 'none' | 'accepted' | 'bulk' | 'document' | 'text';
    }
  | { kind: 'text'; text: string }
  /** What an Elasticsearch client asks before it sends anything. */
  | { kind: 'elasticsearch' }
  | { kind: 'certificate'; path: '/enrol' | '/renew' }
  | { kind: 'method'; allow: string }
  | { kind: 'unknown' };

export type StoreRoute = Extract<Route, { kind: 'store' }>;

/** What there is, for whoever asks for something else. */
export const pathsText = `There is nothing here. This is a Holdfast receiver; it takes

  POST /upload             systemd-journal-upload (application/vnd.fdo.journal)
  POST /v1/logs            OTLP/HTTP, protobuf or JSON
  POST /loki/api/v1/push   Loki push, protobuf or JSON
  POST /_bulk              Elasticsearch bulk; also /INDEX/_bulk and /INDEX/_doc
  POST /gelf               GELF, one message
  POST /ingest             one JSON value, or anything else, on each line; also / and /jsonlines
  GET  /health, /ready
`;

const store = (format: BodyFormat, answer: StoreRoute['answer']): Route => ({
  kind: 'store',
  format,
  answer,
});

const posts: Readonly<Record<string, Route>> = {
  '/upload': store('journal', 'journal'),
  '/v1/logs': store('otlp', 'otlp'),
  '/otlp/v1/logs': store('otlp', 'otlp'),
  '/loki/api/v1/push': store('loki', 'none'),
  '/': store('jsonl', 'text'),
  '/ingest': store('jsonl', 'text'),
  '/jsonlines': store('jsonl', 'text'),
  '/gelf': store('gelf', 'accepted'),
  '/enrol': { kind: 'certificate', path: '/enrol' },
  '/renew': { kind: 'certificate', path: '/renew' },
};

const gets: Readonly<Record<string, Route>> = {
  '/health': { kind: 'text', text: 'ok\n' },
  '/ready': { kind: 'text', text: 'ready\n' },
  '/loki/ready': { kind: 'text', text: 'ready\n' },
};

const bulk = /^(\/[^/]+){0,2}\/_bulk$/;
const document = /^\/[^/]+\/(_doc|_create)(\/[^/]+)?$/;
const administration =
  /^\/(_license|_xpack|_cluster|_cat|_nodes|_ilm|_index_template|_component_template|_template|_ingest|_data_stream|_alias|_aliases)(\/|$)/;

/** @param path without its query and without a slash at its end */
export const findRoute = (method: string, path: string): Route => {
  const isRead = method === 'GET' || method === 'HEAD';
  const post = posts[path];
  if (method === 'POST' && post !== undefined) return post;
  if (isRead && gets[path] !== undefined) return gets[path];
  if (bulk.test(path))
    return method === 'POST' || method === 'PUT'
      ? store('bulk', 'bulk')
      : { kind: 'method', allow: 'POST, PUT' };
  if (document.test(path))
    return method === 'POST' || method === 'PUT'
      ? store('jsonl', 'document')
      : { kind: 'method', allow: 'POST, PUT' };
  if (isRead && path === '/') return { kind: 'elasticsearch' };
  if (administration.test(path))
    return isRead || method === 'PUT' || method === 'POST'
      ? { kind: 'elasticsearch' }
      : { kind: 'method', allow: 'GET, HEAD, PUT, POST' };
  if (post !== undefined) return { kind: 'method', allow: 'POST' };
  if (gets[path] !== undefined) return { kind: 'method', allow: 'GET, HEAD' };
  return { kind: 'unknown' };
};
