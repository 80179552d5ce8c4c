import { contextRequest } from '#wire/context';
import type { ReadRoutes } from '../reading.ts';
import { parseRequest } from '../request.ts';
import type { Serving } from '../serving.ts';
import { contextOf } from './context.ts';

/** `POST /context` of src/wire/context.ts. */
export const addContext = (reads: ReadRoutes, { index, clock, freshness }: Serving): void => {
  reads.read('/context', async (body, out) => {
    const found = await contextOf(index, parseRequest(contextRequest, body), clock, freshness);
    for (const hit of found.hits) await out.line(hit);
    await out.remark(found.answer);
  });
};
