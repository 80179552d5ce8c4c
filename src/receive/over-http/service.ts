import type { IncomingMessage, ServerResponse } from 'node:http';
import { plainText, type Answer } from './answer.ts';
import { openCertificates, type CertificateHandler } from './certificates.ts';
import { oweAnswer, type Connection } from './connections.ts';
import { elasticsearchAnswer, productHeader } from './elasticsearch.ts';
import type { Incoming } from './incoming.ts';
import { refusals, type Refusal } from './refusal.ts';
import { oddity, targetOf } from './request.ts';
import { findRoute, pathsText, type Route } from './routes.ts';
import { openStoring, type Stored, type StoringOptions, type ToStore } from './storing.ts';

export type Request = Pick<ToStore, 'request' | 'response' | 'connection' | 'name' | 'goAhead'>;

/** Serves one request to its end. */
export const openService = (
  options: StoringOptions & { certificates: CertificateHandler | null },
): ((given: Request) => Promise<void>) => {
  const { clock, ledger, pace } = options;
  const store = openStoring(options);
  const send = sender(() => clock.elapsed());
  const certify = options.certificates === null ? null : openCertificates(options.certificates, options);

  /** A body that nobody wants. */
  const drain = async (request: IncomingMessage, connection: Connection, answer: Answer): Promise<Stored> => {
    const thrown: Incoming = { push: () => null, complete: () => undefined, torn: () => undefined };
    const result = await pace.read(request, connection, thrown, 'due');
    if (result === 'torn') return null;
    return result === 'complete' ? { answer } : { refusal: result };
  };

  const serve = async (given: Request): Promise<Stored> => {
    const { request, connection, name, goAhead } = given;
    const odd = oddity(request);
    if (odd !== null) return { refusal: odd };
    const method = request.method ?? '';
    const { path, query } = targetOf(request.url ?? '/');
    const found = findRoute(method, path);
    const route: Route = found.kind === 'certificate' && certify === null ? { kind: 'unknown' } : found;
    if (connection.peer.refused !== null && !(route.kind === 'certificate' && route.path === '/enrol'))
      return { refusal: refusals.noCertificate };
    switch (route.kind) {
      case 'store':
        return store({ ...given, route, path, query });
      case 'certificate':
        return certify?.({ request, connection, path: route.path, name, goAhead }) ?? null;
      case 'unknown':
        return { refusal: { status: 404, cause: 'unknown path', text: pathsText } };
      case 'method':
        return {
          refusal: {
            status: 405,
            cause: 'unknown path',
            text: `This path takes ${route.allow} alone.\n`,
            allow: route.allow,
          },
        };
      case 'text':
        goAhead();
        return drain(request, connection, { status: 200, type: plainText, body: route.text });
      case 'elasticsearch':
        goAhead();
        return drain(request, connection, {
          status: 200,
          type: 'application/json',
          body: `${JSON.stringify(elasticsearchAnswer(method, path))}\n`,
          headers: productHeader,
        });
    }
  };

  const refuse = (
    { request, response, connection, name }: Request,
    { status, cause, text, retryAfter, allow }: Refusal,
  ): void => {
    if (connection.isRefused) return;
    ledger.lost(cause, name, 1, connection.address);
    if (response.headersSent || response.destroyed) return connection.end();
    // What is not wanted is not read to its end either; and of one who breaks the rules nothing more is.
    if (!request.complete || cause === 'malformed request') {
      connection.isRefused = true;
      response.setHeader('Connection', 'close');
    }
    send(connection, response, {
      status,
      type: plainText,
      body: text,
      headers: {
        ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
        ...(allow === undefined ? {} : { Allow: allow }),
      },
    });
  };

  return async (given) => {
    const done = await serve(given);
    if (done === null) return;
    if ('refusal' in done) refuse(given, done.refusal);
    else send(given.connection, given.response, done.answer);
  };
};

const sender =
  (now: () => number) =>
  (connection: Connection, response: ServerResponse, { status, type, body, headers }: Answer): void => {
    oweAnswer(connection, response, now);
    response.writeHead(status, {
      ...(type === '' ? {} : { 'Content-Type': type }),
      ...(typeof body === 'string' && status !== 204 ? { 'Content-Length': Buffer.byteLength(body) } : {}),
      ...headers,
    });
    if (typeof body === 'string') response.end(body);
    else body.pipe(response);
  };
