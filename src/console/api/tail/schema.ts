import { z } from 'zod';

/** Query string of `GET /api/tail`. */
export const tailQuery = z.strictObject({
  query: z.string().max(10_000).default(''),
  /** Begin with this many of the newest hits. */
  backlog: z.coerce.number().pipe(z.int().min(0).max(1_000)).default(0),
});
