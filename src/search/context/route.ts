import type { FastifyInstance } from 'fastify';
import { contextRequest } from '#wire/context';
import { openLines } from '../ndjson.ts';
import { parseRequest } from '../request.ts';
import type { Serving } from '../serving.ts';
import { contextOf } from './context.ts';

/** `POST /context` of src/wire/context.ts. */
export const addContext = (app: FastifyInstance, { index, clock, freshness }: Serving): void => {
  app.post('/context', async (request, reply) => {
    const found = await contextOf(index, parseRequest(contextRequest, request.body), clock, freshness);
    const out = openLines(reply);
    for (const hit of found.hits) await out.line(hit);
    await out.line(found.answer);
    out.end();
  });
};
