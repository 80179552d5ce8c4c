import { chmodSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { IndexError, type Index } from '#index';
import {
  searchRequest,
  sqlRequest,
  tailRequest,
  type Health,
  type SearchError as WireError,
} from '#wire/search';
import { addBrowse } from './browse/route.ts';
import { addContext } from './context/route.ts';
import { addCounts } from './counts/route.ts';
import { SearchError } from './errors.ts';
import { nobodyOutside, type FreshnessReader } from './freshness.ts';
import { openLines } from './ndjson.ts';
import { addPatterns } from './patterns/route.ts';
import { parseRequest } from './request.ts';
import { search } from './search.ts';
import type { Serving } from './serving.ts';
import { openSqlGuard } from './sql/guard.ts';
import { openSenders } from './senders.ts';
import { openSources } from './sources.ts';
import { openTail } from './tail.ts';

export type SearchServer = { stop(): Promise<void> };

export type SearchServerOptions = {
  socket: string;
  index: Index;
  clock: Clock;
  log: OwnLog;
  /** Default: nobody outside is heard. */
  freshness?: FreshnessReader;
};

/**
 * Serves src/wire/search.ts on a unix socket, mode 0660. A socket file that nobody answers on is replaced.
 * @throws SearchError `internal` if somebody does
 */
export const startSearchServer = async ({
  socket,
  index,
  clock,
  log,
  freshness = nobodyOutside,
}: SearchServerOptions): Promise<SearchServer> => {
  if (await answers(socket))
    throw new SearchError('internal', `another indexer serves ${socket}: stop it first`);
  rmSync(socket, { force: true });
  const ending = new AbortController();
  const app = Fastify({ bodyLimit: 1024 * 1024, forceCloseConnections: true });

  app.setErrorHandler((error, _request, reply) => sendError(reply, error, log));
  app.setNotFoundHandler((_request, reply) =>
    sendError(reply, new SearchError('bad-request', 'there is no such route on this socket'), log, 404),
  );
  routes(app, { index, clock, log, freshness, ending: ending.signal });
  await app.listen({ path: socket });
  chmodSync(socket, 0o660);
  return {
    async stop() {
      ending.abort();
      await app.close();
      rmSync(socket, { force: true });
    },
  };
};

const answers = async (socket: string): Promise<boolean> => {
  const connection = connect(socket);
  try {
    await once(connection, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    connection.destroy();
  }
};

const routes = (app: FastifyInstance, serving: Serving): void => {
  const { index, clock, log, freshness, ending } = serving;
  addBrowse(app, serving);
  addPatterns(app, serving);
  addContext(app, serving);
  addCounts(app, serving);
  const sources = openSources(index, clock);
  const senders = openSenders(index, clock);
  const guardSql = openSqlGuard(index.engine);
  app.post('/search', async (request, reply) => {
    const found = await search(index, parseRequest(searchRequest, request.body), clock, freshness);
    const out = openLines(reply);
    for (const hit of found.hits) await out.line(hit);
    await out.line(found.answer);
    out.end();
  });

  app.post('/tail', async (request, reply) => {
    const asked = parseRequest(tailRequest, request.body);
    const tail = await openTail(index, asked, clock);
    const gone = new AbortController();
    reply.raw.on('close', () => gone.abort());
    const out = openLines(reply);
    try {
      for (const hit of tail.backlog) await out.line(hit);
      for await (const tailed of tail.follow(AbortSignal.any([gone.signal, ending]))) {
        await out.line(tailed.kind === 'hit' ? tailed.hit : { dropped: tailed.count });
      }
    } catch (error) {
      if (!gone.signal.aborted) log('warning', `a tail ended: ${messageOf(error)}`);
    }
    out.end();
  });

  app.post('/sql', async (request, reply) => {
    const { sql } = parseRequest(sqlRequest, request.body);
    await guardSql(sql);
    const rows = await sqlRows(index, sql);
    const out = openLines(reply);
    for (const row of rows) await out.line(row);
    out.end();
  });

  app.get('/sources', () => sources());

  app.get('/senders', () => senders());

  app.get('/health', (): Health => {
    const { indexed, committed, lines, reparsing } = index.state();
    return { indexed, committed, lines, residentBytes: process.memoryUsage.rss(), reparsing };
  });

  app.post('/rebuild', async () => {
    await index.rebuild();
    return { rebuilding: true };
  });
};

const sqlRows = async (index: Index, sql: string): Promise<Record<string, unknown>[]> => {
  try {
    return await index.engine.rows('readonly', sql);
  } catch (error) {
    if (!(error instanceof IndexError)) throw error;
    if (error.code === 'engine-limit')
      throw new SearchError('too-expensive', error.message, { cause: error });
    throw new SearchError('bad-query', error.message, { cause: error });
  }
};

const statuses = { 'bad-query': 400, 'bad-request': 400, 'too-expensive': 503, internal: 500 } as const;

const sendError = (reply: FastifyReply, error: unknown, log: OwnLog, status?: number): FastifyReply => {
  const known = error instanceof SearchError ? error : asSearchError(error);
  if (known.code === 'internal') log('error', known.message);
  const body: WireError = {
    error: { code: known.code, message: known.message, column: known.column, suggestion: known.suggestion },
  };
  return reply.code(status ?? statuses[known.code]).send(body);
};

/** Fastify's own refusals (a body that is no JSON, too large) carry a status below 500. */
const asSearchError = (error: unknown): SearchError => {
  const status =
    typeof error === 'object' && error !== null && 'statusCode' in error ? Number(error.statusCode) : 500;
  return new SearchError(status < 500 ? 'bad-request' : 'internal', messageOf(error), { cause: error });
};
