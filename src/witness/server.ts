import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { bind, createGuardedServer, readBody, stopServer, type Exchange, type HttpLimits } from '#http';
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
  limits?: Partial<HttpLimits>;
};

/** Each connection may hold one body of `maxSubmission` bytes, and answers of a note each. */
const defaultLimits: HttpLimits = {
  connections: 256,
  connectionsPerPeer: 32,
  requestsPerConnection: 1000,
  pipelined: 4,
  headerBytes: 8192,
  headersMs: 3000,
  requestMs: 10_000,
  idleMs: 30_000,
  answerMs: 30_000,
};

/** Of answers under way, over all connections. */
const outgoingBytes = 4 * 1024 * 1024;

/** How long answers under way may take at a stop. */
const lastAnswersMs = 1000;

/**
 * Serves a witness over plain HTTP: everything that is said is public and signed. Whoever wants TLS puts a proxy before
 * it. Strangers may connect: `#http` bounds what they take.
 * @throws WitnessError `address`
 */
export const startWitnessServer = async ({
  witness,
  host,
  port,
  log,
  limits,
}: WitnessServerOptions): Promise<WitnessServer> => {
  const server = createGuardedServer<Answer>({
    over: 'tcp',
    limits: { ...defaultLimits, ...limits },
    outgoing: { left: outgoingBytes },
    answer: (request) => answerTo(witness, request, log),
    send,
  });
  try {
    const bound = await bind(server, { host, port });
    server.on('error', (error) => log('warning', messageOf(error)));
    return { host: bound.host, port: bound.port, stop: () => stopServer(server, lastAnswersMs) };
  } catch (error) {
    throw new WitnessError('address', `cannot listen on ${host}:${port}: ${messageOf(error)}`, {
      cause: error,
    });
  }
};

const answerTo = async (witness: Witness, request: IncomingMessage, log: OwnLog): Promise<Answer> => {
  try {
    return await route(witness, request);
  } catch (error) {
    log('error', causes(error));
    return refuse(500, 'this witness could not store what it would have signed; try again later');
  }
};

const route = async (witness: Witness, request: IncomingMessage): Promise<Answer> => {
  const { method = '', url = '' } = request;
  const hash = /^\/([0-9a-f]{64})\/checkpoint$/.exec(url)?.[1];
  if (hash !== undefined) return method === 'GET' ? rememberedNote(witness, hash) : refuse(405, 'GET');
  if (url !== '/add-checkpoint') return refuse(404, 'there is nothing here');
  if (method !== 'POST') return refuse(405, 'POST');
  const body = await readBody(request, maxSubmission);
  return body === null
    ? refuse(413, `a body here has at most ${maxSubmission} bytes`)
    : addCheckpoint(witness, body);
};

const send = (_: IncomingMessage, response: ServerResponse, answer: Answer, exchange: Exchange): void => {
  const { status, type, body } = exchange.holds(Buffer.byteLength(answer.body))
    ? answer
    : refuse(503, 'too many slow readers at once: try again');
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    'content-type': type,
    'content-length': bytes.length,
    'cache-control': 'no-store',
  });
  response.end(bytes);
};

const causes = (error: unknown): string =>
  error instanceof Error && error.cause !== undefined
    ? `${messageOf(error)} (${messageOf(error.cause)})`
    : messageOf(error);
