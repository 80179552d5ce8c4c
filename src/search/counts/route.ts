import { countsRequest } from '#wire/counts';
import type { ReadRoutes } from '../reading.ts';
import { parseRequest } from '../request.ts';
import type { Serving } from '../serving.ts';
import { countLines } from './counts.ts';

/** `POST /counts` of src/wire/counts.ts. */
export const addCounts = (reads: ReadRoutes, { index, clock, freshness }: Serving): void => {
  reads.read('/counts', async (body, out) => {
    const found = await countLines(index, parseRequest(countsRequest, body), clock, freshness);
    await out.line(found.counts);
    await out.remark(found.answer);
  });
};
