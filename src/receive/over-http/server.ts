import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '#base/clock';
import type { IntakeWriter } from '#vault/intake';
import type { LedgerCause } from '../ledger.ts';
import type { Listener } from '../listener.ts';
import { listenStream, type StreamServerOptions } from '../stream-server.ts';
import type { CertificateHandler } from './certificates.ts';
import { openConnections, whenOver, type Connection } from './connections.ts';
import { httpLimits, type HttpLimits } from './limits.ts';
import type { BodyMemory } from './memory.ts';
import { openPace } from './pace.ts';
import { refusals, type Refusal } from './refusal.ts';
import type { Repeats } from './repeats.ts';
import { causeOf } from './request.ts';
import { openService } from './service.ts';

export type HttpOptions = Omit<StreamServerOptions, 'kind' | 'converse' | 'uncertified'> & {
  intake: IntakeWriter;
  clock: Clock;
  memory: BodyMemory;
  repeats: Repeats;
  /** Who answers `/enrol` and `/renew`, over TLS. */
  certificates: CertificateHandler | null;
  limits?: Partial<HttpLimits>;
};

/**
 * HTTP/1.1, with or without TLS: each body is stored as it came, and answered once it is durable. What is no HTTP is
 * refused and its connection closed; what is odd within a body is not looked at.
 * @throws ReceiveError
 */
export const listenHttp = async (options: HttpOptions): Promise<Listener> => {
  const { intake, clock, ledger, tls } = options;
  const limits: HttpLimits = { ...httpLimits, ...options.limits };
  const certificates = tls === null ? null : options.certificates;
  let name = '';
  const pace = openPace(intake, clock, limits.patienceMs);

  const refuseHead = (connection: Connection, refusal: Refusal): void => {
    if (connection.isRefused) return;
    connection.isRefused = true;
    ledger.lost(refusal.cause, name, 1, connection.address);
    const isUnanswered = connection.underWay === 0 || (connection.underWay === 1 && connection.isOpen());
    if (isUnanswered && connection.duplex.writable)
      connection.duplex.write(
        `HTTP/1.1 ${refusal.status} Refused\r\nContent-Type: text/plain\r\nConnection: close\r\n` +
          `Content-Length: ${refusal.text.length}\r\n\r\n${refusal.text}`,
      );
    connection.close();
  };

  const cutOff = (connection: Connection, cause: LedgerCause): void => {
    if (!connection.isRefused) ledger.lost(cause, name, 1, connection.address);
    connection.isRefused = true;
    connection.end();
  };

  const connections = openConnections(clock, limits, refuseHead, cutOff);

  const serve = openService({ ...options, limits, pace, certificates });

  const handle = (
    request: IncomingMessage,
    response: ServerResponse,
    expectation: 'continue' | 'none',
  ): void => {
    // One who goes away within a request is no fault of ours.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const connection = connections.of(request.socket);
    if (connection === undefined || connection.isRefused) return void request.socket.destroy();
    connection.headSince = null;
    if (connection.underWay >= limits.ahead) return cutOff(connection, 'too many requests ahead');
    connection.underWay += 1;
    connection.isOpen = () => !request.complete && !response.headersSent;
    whenOver(connection, response, () => {
      connection.underWay -= 1;
      connection.idleSince = clock.elapsed();
      if (connection.underWay === 0) connection.onIdle?.();
    });
    const goAhead = (): void => (expectation === 'continue' ? response.writeContinue() : undefined);
    void serve({ request, response, connection, name, goAhead }).catch(() => connection.end());
  };

  const server = createServer({
    maxHeaderSize: limits.head,
    // Both are watched in `connections.ts`: this server listens nowhere, and so looks at no clock.
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: limits.idleMs,
    // Looked at in `oddity`, so that it is counted.
    requireHostHeader: false,
  });
  server.maxHeadersCount = 0;
  server.on('request', (request, response) => handle(request, response, 'none'));
  server.on('checkContinue', (request, response) => handle(request, response, 'continue'));
  server.on('checkExpectation', (request, response) => {
    const connection = connections.of(request.socket);
    if (connection === undefined) return void response.destroy();
    response.setHeader('Connection', 'close');
    response.writeHead(417);
    response.end();
    connection.isRefused = true;
    ledger.lost('malformed request', name, 1, connection.address);
  });
  server.on('connect', (_, duplex) => {
    const connection = connections.of(duplex);
    if (connection !== undefined) refuseHead(connection, refusals.malformed);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, duplex) => {
    const connection = connections.of(duplex);
    if (connection === undefined) return void duplex.destroy();
    const cause = causeOf(error.code ?? '');
    if (cause === null) return connection.end();
    refuseHead(connection, cause);
  });

  const listener = await listenStream({
    ...options,
    kind: tls === null ? 'http' : 'https',
    uncertified: certificates === null ? 'refuse' : 'converse',
    converse(socket, peer, listenerName) {
      name = listenerName;
      const connection = connections.open(socket, peer);
      server.emit('connection', connection.duplex);
      return {
        push: (chunk) => connection.push(chunk),
        end: () => connections.closed(connection),
        finish: async () => {
          if (connection.underWay === 0) return;
          await new Promise<void>((resolve) => {
            connection.onIdle = resolve;
          });
          await turn();
        },
      };
    },
  });

  return {
    ...listener,
    // Each request waits by itself, and is told when the disk is full.
    pause: () => undefined,
    resume: () => pace.resume(),
    async stop(forMs) {
      await listener.stop(forMs);
      connections.stop();
    },
  };
};
