import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { answer, hit, type Answer, type Hit } from '#wire/search';
import type { ApiError } from '#wire/console';
import { apiErrorOf, parseRequest } from '../../api-error.ts';
import { ConsoleError } from '../../errors.ts';
import type { SearchSocket } from '../../search-socket.ts';
import { shown, shownHit } from '../../shown.ts';
import { whoOf } from '../../who.ts';
import { closing } from '../closing.ts';
import { searchBody } from './schema.ts';

/** `POST /api/search`: relayed line by line, so that a large answer never lies whole in the console's memory. */
export const addSearch = (app: FastifyInstance, search: SearchSocket): void => {
  app.post('/api/search', async (request, reply) => {
    const body = parseRequest(searchBody, request.body);
    const lines = await search.lines('/search', body, whoOf(request), closing(reply));
    return reply
      .type('application/x-ndjson; charset=utf-8')
      .send(Readable.from(relay(lines), { objectMode: false }));
  });
};

/** The status is long sent when something breaks: a last line says so, else a part would pass for the whole. */
async function* relay(lines: AsyncIterable<unknown>): AsyncGenerator<string, void, undefined> {
  try {
    let answered = false;
    for await (const line of lines) {
      const relayed = shownLine(line);
      answered = 'answer' in relayed;
      yield `${JSON.stringify(relayed)}\n`;
    }
    if (!answered)
      throw new ConsoleError('search-away', 'search broke off before the end of its answer; search again');
  } catch (error) {
    yield `${JSON.stringify(apiErrorOf(error).body)}\n`;
  }
}

const shownLine = (line: unknown): Hit | Answer | ApiError => {
  const asHit = hit.safeParse(line);
  if (asHit.success) return shownHit(asHit.data);
  const asAnswer = answer.safeParse(line);
  if (asAnswer.success) return shown(asAnswer.data);
  throw new ConsoleError('search-garbled', "a line of search's answer is neither a hit nor the answer", {
    cause: asHit.error,
  });
};
