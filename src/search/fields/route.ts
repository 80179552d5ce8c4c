import { fieldsRequest } from '#wire/fields';
import type { ReadRoutes } from '../reading.ts';
import { parseRequest } from '../request.ts';
import type { Serving } from '../serving.ts';
import { fields } from './fields.ts';

/** `POST /fields` of src/wire/fields.ts. */
export const addFields = (reads: ReadRoutes, { index, clock, freshness }: Serving): void => {
  reads.read('/fields', async (body, out) => {
    const found = await fields(index, parseRequest(fieldsRequest, body), clock, freshness);
    for (const one of found.fields) await out.line(one);
    await out.remark(found.read);
    await out.remark(found.answer);
  });
};
