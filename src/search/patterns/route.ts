import type { FastifyInstance } from 'fastify';
import { patternsRequest } from '#wire/patterns';
import { openLines } from '../ndjson.ts';
import { parseRequest } from '../request.ts';
import type { Serving } from '../serving.ts';
import { patterns } from './patterns.ts';

/** `POST /patterns` of src/wire/patterns.ts. */
export const addPatterns = (app: FastifyInstance, { index, clock, freshness }: Serving): void => {
  app.post('/patterns', async (request, reply) => {
    const found = await patterns(index, parseRequest(patternsRequest, request.body), clock, freshness);
    const out = openLines(reply);
    for (const one of found.patterns) await out.line(one);
    await out.line(found.folded);
    await out.line(found.answer);
    out.end();
  });
};
