import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { hit } from '#wire/search';
import { apiErrorOf, parseRequest } from '../../api-error.ts';
import { ConsoleError } from '../../errors.ts';
import type { SearchSocket } from '../../search-socket.ts';
import { shownHit } from '../../shown.ts';
import { whoOf } from '../../who.ts';
import { closing } from '../closing.ts';
import { tailQuery } from './schema.ts';

/** More open pages than a person has; each holds a connection to search. */
const mostTails = 32;

const dropped = z.object({ dropped: z.int() });

/**
 * `GET /api/tail?query=`: search's tail as Server-Sent Events (WHATWG HTML §9.2). A page that reads too slowly holds
 * the relay back, so that it is search that drops, counts, and says so in a `dropped` event.
 */
export const addTail = (app: FastifyInstance, search: SearchSocket): void => {
  let open = 0;
  app.get('/api/tail', async (request, reply) => {
    const body = parseRequest(tailQuery, request.query);
    if (open >= mostTails) {
      throw new ConsoleError(
        'too-many-tails',
        `${mostTails} pages follow the log already; close one of them`,
      );
    }
    open += 1;
    reply.raw.once('close', () => (open -= 1));
    const lines = await search.lines('/tail', body, whoOf(request), closing(reply));
    return reply
      .type('text/event-stream; charset=utf-8')
      .send(Readable.from(relay(lines), { objectMode: false }));
  });
};

async function* relay(lines: AsyncIterable<unknown>): AsyncGenerator<string, void, undefined> {
  yield 'retry: 2000\n\n';
  try {
    for await (const line of lines) {
      const asDropped = dropped.safeParse(line);
      if (asDropped.success) {
        yield event('dropped', asDropped.data);
        continue;
      }
      const asHit = hit.safeParse(line);
      if (!asHit.success)
        throw new ConsoleError('search-garbled', 'a line of the tail is no hit', { cause: asHit.error });
      yield event('hit', shownHit(asHit.data));
    }
    throw new ConsoleError('search-away', 'the indexer ended the tail; the page asks again by itself');
  } catch (error) {
    yield event('away', apiErrorOf(error).body);
  }
}

/** JSON has no line break in it, so one `data:` line carries it whole. */
const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
