import { patternsRequest } from '#wire/patterns';
import type { ReadRoutes } from '../reading.ts';
import { parseRequest } from '../request.ts';
import type { Serving } from '../serving.ts';
import { patterns } from './patterns.ts';

/** `POST /patterns` of src/wire/patterns.ts. */
export const addPatterns = (reads: ReadRoutes, { index, clock, freshness }: Serving): void => {
  reads.read('/patterns', async (body, out) => {
    const found = await patterns(index, parseRequest(patternsRequest, body), clock, freshness);
    for (const one of found.patterns) await out.line(one);
    await out.remark(found.folded);
    await out.remark(found.answer);
  });
};
