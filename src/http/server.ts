import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { openExchanges, type Exchange, type Exchanges, type Outgoing } from './exchange.ts';
import { inSlices } from './in-slices.ts';
import type { HttpLimits } from './limits.ts';
import { openPeerBound, peerOf, type Peer, type Transport } from './peer.ts';

export type GuardedService<Answer> = {
  /** What the server will be made to listen on. */
  over: Transport;
  limits: HttpLimits;
  /** Shared by the servers of one process. */
  outgoing: Outgoing;
  /** Never rejects: a fault of ours is an answer too. */
  answer(request: IncomingMessage, peer: Peer): Promise<Answer>;
  /** Sends it whole, or says that there is no room for it now (`exchange.holds`). */
  send(request: IncomingMessage, response: ServerResponse, answer: Answer, exchange: Exchange): void;
};

type Connection = { peer: Peer; exchanges: Exchanges };

/**
 * An HTTP server for strangers, which listens nowhere yet: connections, what is read of them ahead, requests that wait and
 * answers that nobody takes are bounded, in bytes and in time. What an answer is, its user says.
 */
export const createGuardedServer = <Answer>(service: GuardedService<Answer>): Server => {
  const { over, limits, outgoing } = service;
  const connections = new WeakMap<Duplex, Connection>();

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // A stranger who goes away within a request is no fault of the server's.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const connection = connections.get(request.socket);
    const exchange = connection?.exchanges.begin() ?? null;
    if (connection === undefined || exchange === null) return void request.socket.destroy();
    response.once('close', () => exchange.end());
    const answer = await service.answer(request, connection.peer);
    if (request.socket.destroyed) return;
    // A body that is not wanted is not read to its end either.
    if (!request.complete) response.setHeader('connection', 'close');
    service.send(request, response, answer, exchange);
  };

  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: Math.min(1000, limits.headersMs),
    },
    (request, response) => void handle(request, response),
  );
  server.maxConnections = limits.connections;
  server.maxHeadersCount = 64;
  server.maxRequestsPerSocket = limits.requestsPerConnection;
  // The server's own way to take a connection, with less of it at a time.
  const [take] = server.listeners('connection');
  if (take === undefined) throw new Error('an HTTP server that takes no connections');
  server.removeAllListeners('connection');
  const bound = openPeerBound(limits.connectionsPerPeer);
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(over, socket);
    if (peer === null || !bound.admits(socket, peer)) {
      // A reset that is still to be told would be an error that nobody hears.
      socket.on('error', () => undefined);
      return void socket.destroy();
    }
    socket.setTimeout(limits.idleMs, () => socket.destroy());
    const connection = inSlices(socket);
    const exchanges = openExchanges(connection, outgoing, limits.pipelined, limits.answerMs);
    connections.set(connection, { peer, exchanges });
    Reflect.apply(take, server, [connection]);
  });
  return server;
};
