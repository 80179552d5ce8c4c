import { z } from 'zod';

export { forgetRequest as forgetBody, saveRequest as saveBody } from '#wire/saved';

/** What search says when it is done. */
export const done = z.union([z.object({ saved: z.string() }), z.object({ forgotten: z.string() })]);
