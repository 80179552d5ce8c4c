import type { IncomingMessage, Server } from 'node:http';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import {
  createGuardedServer,
  readBody,
  type HttpLimits,
  type Outgoing,
  type Peer,
  type Transport,
} from '#http';
import { words, type Answer } from './answer.ts';
import type { Reception } from './reception.ts';
import { parseTarget } from './request.ts';
import { damaged, fetchResource, type Resources } from './resource.ts';
import { respond } from './respond.ts';
import { maxStatement } from './statement.ts';

export type ServerParts = {
  resources: Resources;
  reception: Reception;
  limits: HttpLimits;
  outgoing: Outgoing;
  log: OwnLog;
};

/** The publisher's HTTP server, which listens nowhere yet. What comes over a unix socket is this machine's own. */
export const createPublishServer = (over: Transport, parts: ServerParts): Server => {
  const { limits, outgoing, log } = parts;
  let lastFault = '';

  const failed = (error: unknown): Answer => {
    const message = messageOf(error);
    if (message !== lastFault) log('error', message);
    lastFault = message;
    return damaged(error) ?? words(500, 'a fault on our side');
  };

  return createGuardedServer<Answer>({
    over,
    limits,
    outgoing,
    answer: (request, peer) => answerTo(request, peer, parts).catch(failed),
    send: respond,
  });
};

const answerTo = async (request: IncomingMessage, peer: Peer, parts: ServerParts): Promise<Answer> => {
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
