import { join } from 'node:path';
import fastify, { type FastifyInstance } from 'fastify';
import { systemClock, type Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { stateDirectory } from '#base/state';
import { addAlerts } from './api/alerts/route.ts';
import { addAudit } from './api/audit/route.ts';
import { addBrowse } from './api/browse/route.ts';
import { addCounts } from './api/counts/route.ts';
import { addFields } from './api/fields/route.ts';
import { addPatterns } from './api/patterns/route.ts';
import { addSaved } from './api/saved/route.ts';
// oxlint-disable-next-line no-restricted-imports -- the API's noun of that name, not the room
import { addSearch } from './api/search/route.ts';
import { addSenders } from './api/senders/route.ts';
import { addSources } from './api/sources/route.ts';
import { addStatus } from './api/status/route.ts';
import { addTail } from './api/tail/route.ts';
import { apiErrorOf } from './api-error.ts';
import { readToken, requireLoopback, type ConsoleConfig } from './config.ts';
import { ConsoleError } from './errors.ts';
import { addGate, refuse } from './gate.ts';
import { addPage, builtPage } from './page.ts';
import { openSearchSocket } from './search-socket.ts';
import { openSessions } from './sessions.ts';

export { consoleConfig, type ConsoleConfig } from './config.ts';
export { ConsoleError, type ConsoleErrorCode } from './errors.ts';

export type ConsoleParts = ConsoleConfig & {
  /** Directory of the built page; the product's own unless given. */
  page?: string;
  clock?: Clock;
  log: OwnLog;
};

export type RunningConsole = {
  /** `http://HOST:PORT`, with the port that was bound; without the token. */
  address: string;
  stop(): Promise<void>;
};

/** Largest body that the API takes: a query of 10,000 characters, each as a JSON escape. */
const bodyLimit = 64 * 1024;

/**
 * Serves the page and its API on a loopback address.
 * @throws ConsoleError not-loopback, token-unusable; a system error (EADDRINUSE) if it cannot listen
 */
export const startConsole = async (parts: ConsoleParts): Promise<RunningConsole> => {
  requireLoopback(parts.host);
  const token = await readToken(parts.tokenFile);
  const clock = parts.clock ?? systemClock();
  const state = stateDirectory(parts.state);
  const search = openSearchSocket(state.searchSocket);

  const app = fastify({
    logger: false,
    bodyLimit,
    exposeHeadRoutes: false,
    // A page that follows the log never ends its request by itself.
    forceCloseConnections: true,
    requestTimeout: 30_000,
  });
  // JSON alone: a form of another site can send text/plain or a form without asking first.
  app.removeContentTypeParser('text/plain');

  let bound = { address: parts.host, port: parts.port };
  addGate(app, { sessions: openSessions(token, clock), bound: () => bound });
  addErrors(app, parts.log);
  addSearch(app, search);
  addCounts(app, search);
  addPatterns(app, search);
  addFields(app, search);
  addBrowse(app, search);
  addSaved(app, search);
  addAlerts(app, search);
  addTail(app, search);
  addSources(app, search);
  addSenders(app, search);
  addStatus(app, state, search, clock);
  addAudit(app, join(state.run, 'audit.json'));
  await addPage(app, parts.page ?? builtPage);

  await app.listen({ host: parts.host, port: parts.port });
  const listening = app.server.address();
  if (listening === null || typeof listening === 'string') {
    throw new Error(`listening on ${parts.host}:${parts.port}, yet without an address`);
  }
  bound = { address: listening.address, port: listening.port };
  const host = listening.address.includes(':') ? `[${listening.address}]` : listening.address;
  return { address: `http://${host}:${listening.port}`, stop: () => app.close() };
};

const addErrors = (app: FastifyInstance, log: OwnLog): void => {
  app.setErrorHandler((error, request, reply) => {
    const { status, body } = apiErrorOf(error);
    // That search is away is on the page already, and pages ask every few seconds.
    const expected = error instanceof ConsoleError && error.code === 'search-away';
    if (status >= 500 && !expected)
      log('warning', `${request.method} ${request.routeOptions.url ?? '?'}: ${messageOf(error)}`);
    return reply.code(status).type('application/json; charset=utf-8').send(body);
  });
  app.setNotFoundHandler((request, reply) =>
    refuse(request, reply, 404, 'not-found', {
      title: 'Nothing is here',
      text: 'The console has one page, at its root.',
    }),
  );
};
