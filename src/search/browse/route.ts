import type { FastifyInstance } from 'fastify';
import { browseRequest, leafRequest } from '#wire/browse';
import { openLines } from '../ndjson.ts';
import { parseRequest } from '../request.ts';
import type { Serving } from '../serving.ts';
import { leafLineOf, leafPage } from './leaf.ts';
import { branches } from './tree.ts';

/** `POST /browse` and `POST /leaf` of src/wire/browse.ts. */
export const addBrowse = (app: FastifyInstance, { index, clock, freshness }: Serving): void => {
  app.post('/browse', async (request, reply) => {
    const { path } = parseRequest(browseRequest, request.body);
    const found = await branches(index, path, clock, freshness);
    const out = openLines(reply);
    for (const branch of found.branches) await out.line(branch);
    await out.line(found.answer);
    out.end();
  });

  app.post('/leaf', async (request, reply) => {
    const asked = parseRequest(leafRequest, request.body);
    const page = await leafPage(index, asked, clock, freshness);
    const out = openLines(reply);
    if (page.kind === 'end') await out.line(page.answer);
    else {
      for (const hit of page.hits) await out.line(asked.form === 'hits' ? hit : leafLineOf(hit, asked.form));
      await out.line({ next: page.next });
    }
    out.end();
  });
};
