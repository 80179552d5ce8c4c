import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { words, type Answer } from './answer.ts';
import { readBody } from './body.ts';
import { openExchanges, type Exchanges, type Outgoing } from './exchange.ts';
import { inSlices } from './in-slices.ts';
import type { PublishLimits } from './limits.ts';
import { peerOf } from './rate.ts';
import type { Reception } from './reception.ts';
import { parseTarget } from './request.ts';
import { damaged, fetchResource, type Resources } from './resource.ts';
import { respond } from './respond.ts';
import { maxStatement } from './statement.ts';

export type ServerParts = {
  resources: Resources;
  reception: Reception;
  limits: PublishLimits;
  outgoing: Outgoing;
  log: OwnLog;
};

/** An HTTP server for strangers, which listens nowhere yet: everything of theirs is bounded, in bytes and in time. */
export const createPublishServer = (parts: ServerParts): Server => {
  const { limits, outgoing, log } = parts;
  let lastFault = '';

  const failed = (error: unknown): Answer => {
    const message = messageOf(error);
    if (message !== lastFault) log('error', message);
    lastFault = message;
    return damaged(error) ?? words(500, 'a fault on our side');
  };

  const connections = new WeakMap<Duplex, Connection>();

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const connection = connections.get(request.socket);
    const exchange = connection?.exchanges.begin() ?? null;
    if (connection === undefined || exchange === null) return void request.socket.destroy();
    response.once('close', () => exchange.end());
    let answer: Answer;
    try {
      answer = await answerTo(request, connection.peer, parts);
    } catch (error) {
      answer = failed(error);
    }
    if (request.socket.destroyed) return;
    // A body that is not wanted is not read to its end either.
    if (!request.complete) response.setHeader('connection', 'close');
    respond(request, response, answer, exchange);
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
  const isWelcome = peerBound(limits);
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket.remoteAddress);
    if (!isWelcome(socket, peer)) return void socket.destroy();
    socket.setTimeout(limits.idleMs, () => socket.destroy());
    const connection = inSlices(socket);
    const exchanges = openExchanges(connection, outgoing, limits.pipelined, limits.answerMs);
    connections.set(connection, { peer, exchanges });
    Reflect.apply(take, server, [connection]);
  });
  return server;
};

type Connection = { peer: string; exchanges: Exchanges };

/**
 * Whether a peer may have one more connection, so that one stranger cannot take them all. This machine's own may have as
 * many as there are: a proxy in front is one peer.
 */
const peerBound = ({ connectionsPerPeer }: PublishLimits): ((socket: Socket, peer: string) => boolean) => {
  const open = new Map<string, number>();
  return (socket, peer) => {
    if (peer === 'local' || peer.startsWith('127.') || peer === '0:0:0:0') return true;
    const count = (open.get(peer) ?? 0) + 1;
    if (count > connectionsPerPeer) return false;
    open.set(peer, count);
    socket.once('close', () => {
      const left = (open.get(peer) ?? 1) - 1;
      if (left > 0) open.set(peer, left);
      else open.delete(peer);
    });
    return true;
  };
};

const answerTo = async (request: IncomingMessage, peer: string, parts: ServerParts): Promise<Answer> => {
  const { resources, reception } = parts;
  const asked = parseTarget(request.url ?? '');
  if (asked === null) return words(404, 'there is nothing by that name');
  if (asked === 'unclear')
    return words(
      400,
      'a proof is asked for as /proof/consistency?from=SIZE&to=SIZE or /proof/inclusion?entry=INDEX&size=SIZE, in decimal',
    );
  if (asked.what === 'cosignature' || asked.what === 'contradiction') {
    if (request.method !== 'POST') return words(405, 'a signed note is handed in here, with POST');
    const refused = reception.admit(peer);
    if (refused !== null) return refused;
    const body = await readBody(request, maxStatement);
    return body === null
      ? words(413, `a note has at most ${maxStatement} bytes`)
      : reception.take(body, asked.what, peer);
  }
  return request.method === 'GET' || request.method === 'HEAD'
    ? fetchResource(resources, asked)
    : words(405, 'this can only be fetched, with GET or HEAD');
};
