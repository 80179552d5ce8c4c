import type { FastifyInstance } from 'fastify';
import { countsRequest } from '#wire/counts';
import { openLines } from '../ndjson.ts';
import { parseRequest } from '../request.ts';
import type { Serving } from '../serving.ts';
import { countLines } from './counts.ts';

/** `POST /counts` of src/wire/counts.ts. */
export const addCounts = (app: FastifyInstance, { index, clock, freshness }: Serving): void => {
  app.post('/counts', async (request, reply) => {
    const found = await countLines(index, parseRequest(countsRequest, request.body), clock, freshness);
    const out = openLines(reply);
    await out.line(found.counts);
    await out.line(found.answer);
    out.end();
  });
};
