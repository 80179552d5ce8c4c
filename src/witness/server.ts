import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { addCheckpoint, refuse, rememberedNote, type Answer } from './answer.ts';
import { WitnessError } from './errors.ts';
import { maxSubmission } from './submission.ts';
import type { Witness } from './witness.ts';

export type WitnessServer = { host: string; port: number; stop(): Promise<void> };

export type WitnessServerOptions = {
  witness: Witness;
  host: string;
  /** 0: any that is free */
  port: number;
  log: OwnLog;
  /** Milliseconds within which a request must have come whole. */
  patience?: number;
};

/** Connections at a time; each may hold one body of `maxSubmission` bytes. */
const maxConnections = 256;

/**
 * Serves a witness over plain HTTP: everything that is said is public and signed. Whoever wants TLS puts a proxy before
 * it. Strangers may connect: bodies, headers, connections and the time of each are bounded.
 * @throws WitnessError `address`
 */
export const startWitnessServer = async ({
  witness,
  host,
  port,
  log,
  patience = 10_000,
}: WitnessServerOptions): Promise<WitnessServer> => {
  const server = createServer(
    {
      maxHeaderSize: 8192,
      headersTimeout: patience,
      requestTimeout: patience,
      keepAliveTimeout: 30_000,
      connectionsCheckingInterval: Math.min(1000, patience),
    },
    (request, response) => void serve(witness, request, response, log),
  );
  server.maxConnections = maxConnections;
  server.maxHeadersCount = 64;
  // A reader that takes no answer.
  server.setTimeout(3 * patience);
  // Nobody asks for an upgrade or a tunnel here.
  server.on('connect', (_request, socket) => socket.destroy());
  const listening = once(server, 'listening');
  server.listen(port, host);
  try {
    await listening;
  } catch (error) {
    throw new WitnessError('address', `cannot listen on ${host}:${port}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  server.on('error', (error) => log('warning', messageOf(error)));
  const address = server.address() as AddressInfo;
  return {
    host: address.address,
    port: address.port,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), 1000);
      await closed;
      clearTimeout(timer);
    },
  };
};

const serve = async (
  witness: Witness,
  request: IncomingMessage,
  response: ServerResponse,
  log: OwnLog,
): Promise<void> => {
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  try {
    send(response, await route(witness, request));
  } catch (error) {
    log('error', causes(error));
    send(response, refuse(500, 'this witness could not store what it would have signed; try again later'));
  }
};

const route = async (witness: Witness, request: IncomingMessage): Promise<Answer> => {
  const { method = '', url = '' } = request;
  const hash = /^\/([0-9a-f]{64})\/checkpoint$/.exec(url)?.[1];
  if (hash !== undefined) return method === 'GET' ? rememberedNote(witness, hash) : refuse(405, 'GET');
  if (url !== '/add-checkpoint') return refuse(404, 'there is nothing here');
  if (method !== 'POST') return refuse(405, 'POST');
  const body = await readBody(request);
  return body === null
    ? refuse(413, `a body here has at most ${maxSubmission} bytes`)
    : addCheckpoint(witness, body);
};

/** @returns `null` for more than can be right; nothing more is read then. One that ends early is what came of it. */
const readBody = async (request: IncomingMessage): Promise<Buffer | null> => {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      const bytes = Buffer.from(chunk);
      length += bytes.length;
      if (length > maxSubmission) return null;
      chunks.push(bytes);
    }
  } catch {
    return Buffer.alloc(0);
  }
  return Buffer.concat(chunks);
};

const send = (response: ServerResponse, { status, type, body }: Answer): void => {
  if (response.destroyed || response.headersSent) return;
  const bytes = Buffer.from(body);
  // After a body that was not read to its end the connection is of no use.
  if (status === 413) response.setHeader('connection', 'close');
  response.writeHead(status, {
    'content-type': type,
    'content-length': bytes.length,
    'cache-control': 'no-store',
  });
  response.end(bytes);
  if (status === 413) response.on('finish', () => response.req.destroy());
};

const causes = (error: unknown): string =>
  error instanceof Error && error.cause !== undefined
    ? `${messageOf(error)} (${messageOf(error.cause)})`
    : messageOf(error);
