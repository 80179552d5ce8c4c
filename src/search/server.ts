import { randomBytes } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import { dirname, resolve } from 'node:path';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { Index } from '#index';
import { searchRequest, tailRequest, type Health, type SearchError as WireError } from '#wire/search';
import { addBrowse } from './browse/route.ts';
import { addContext } from './context/route.ts';
import { addCounts } from './counts/route.ts';
import { SearchError } from './errors.ts';
import { addFields } from './fields/route.ts';
import { nobodyOutside, type FreshnessReader } from './freshness.ts';
import { addPatterns } from './patterns/route.ts';
import { openReaders } from './readers.ts';
import { readRoutes, type ReadRoutes, type RecordRead } from './reading.ts';
import { parseRequest } from './request.ts';
import { refusal } from './refusal.ts';
import { addSaved } from './saved/route.ts';
import { search } from './search.ts';
import type { Serving } from './serving.ts';
import { addSql } from './sql/route.ts';
import { openSenders } from './senders.ts';
import { openSources } from './sources.ts';
import { openTail } from './tail.ts';

export type SearchServer = { stop(): Promise<void> };

export type SearchServerOptions = {
  socket: string;
  index: Index;
  clock: Clock;
  log: OwnLog;
  /** Keeps in the log who read what, before the answer goes out. */
  record: RecordRead;
  /** Default: nobody outside is heard. */
  freshness?: FreshnessReader;
  /** What others serve on the same socket; what shows lines, or is made of them, through `reads`. */
  more?(app: FastifyInstance, reads: ReadRoutes): void;
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
  record,
  freshness = nobodyOutside,
  more,
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
  // Beside the socket, so that who may pass to the one may pass to the other.
  const readers = openReaders(resolve(dirname(socket), 'readers'), clock, () =>
    randomBytes(24).toString('base64url'),
  );
  const reads = readRoutes(app, { readers, record, clock, log });
  const served = new Set<string>();
  app.addHook('onRoute', ({ url }) => void served.add(url));
  app.post('/reader', () => readers.challenge());
  readingRoutes(reads, { index, clock, log, freshness, ending: ending.signal });
  otherRoutes(app, { index, clock });
  more?.(app, reads);
  const unrecorded = [...served].filter((path) => !reads.paths.has(path) && !notReading.has(path));
  if (unrecorded.length > 0)
    throw new SearchError(
      'internal',
      `routes that are neither recorded nor known to read nothing: ${unrecorded.join(', ')}`,
    );
  await app.listen({ path: socket });
  chmodSync(socket, 0o660);
  return {
    async stop() {
      ending.abort();
      await reads.settled(endWithinMs);
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

/** For readers who go on reading until they are told. */
const endWithinMs = 2000;

/** Whatever shows lines, or what is made of them, is served through `reads`, which records it. */
const readingRoutes = (reads: ReadRoutes, serving: Serving): void => {
  const { index, clock, log, freshness, ending } = serving;
  addBrowse(reads, serving);
  addPatterns(reads, serving);
  addContext(reads, serving);
  addCounts(reads, serving);
  addFields(reads, serving);
  addSql(reads, serving);
  addSaved(reads, serving);
  reads.read('/search', async (body, out) => {
    const found = await search(index, parseRequest(searchRequest, body), clock, freshness);
    for (const hit of found.hits) await out.line(hit);
    await out.remark(found.answer);
  });

  reads.read('/tail', async (body, out, gone) => {
    const asked = parseRequest(tailRequest, body);
    const tail = await openTail(index, asked, clock, freshness);
    await out.open();
    try {
      for (const hit of tail.backlog) await out.line(hit);
      if (asked.answers && tail.answer !== null) await out.remark(tail.answer);
      for await (const tailed of tail.follow(AbortSignal.any([gone, ending]))) {
        if (tailed.kind === 'hit') await out.line(tailed.hit);
        else if (tailed.kind === 'dropped') await out.remark({ dropped: tailed.count });
        else if (asked.resume !== undefined) await out.remark({ position: tailed.position });
      }
    } catch (error) {
      if (!gone.aborted) log('warning', `a tail ended: ${messageOf(error)}`);
    }
  });
};

/** What shows no line, and nothing that is made of what stands in one: figures and names of senders, the index itself. */
const notReading: ReadonlySet<string> = new Set([
  '/reader',
  '/sources',
  '/senders',
  '/health',
  '/rebuild',
  '/alerts/test',
]);

const otherRoutes = (app: FastifyInstance, { index, clock }: Pick<Serving, 'index' | 'clock'>): void => {
  const sources = openSources(index, clock);
  const senders = openSenders(index, clock);

  app.get('/sources', () => sources());

  app.get('/senders', () => senders());

  app.get('/health', (): Health => {
    const { indexed, committed, lines, reparsing, trouble } = index.state();
    const residentBytes = process.memoryUsage.rss();
    return { indexed, committed, lines, residentBytes, trouble: trouble?.message ?? null, reparsing };
  });

  app.post('/rebuild', async () => {
    await index.rebuild();
    return { rebuilding: true };
  });
};

const statuses = {
  'bad-query': 400,
  'bad-request': 400,
  unproven: 401,
  unrecorded: 503,
  'too-expensive': 503,
  'could-not-look': 503,
  internal: 500,
} as const;

const sendError = (reply: FastifyReply, error: unknown, log: OwnLog, status?: number): FastifyReply => {
  const told = refusal(error);
  const known = told instanceof SearchError ? told : asSearchError(error);
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
