import { z } from 'zod';
import { hit } from './search.ts';

/**
 * The lines around one line, over `run/search.sock` (src/wire/search.ts).
 *
 *     POST /context  ContextRequest → NDJSON: ContextHit lines, oldest first, then one Answer line
 */
export const contextRequest = z.strictObject({
  /** `entry:line[/part]`, as hits have it. */
  address: z.string().max(200),
  before: z.int().min(0).max(10_000).default(10),
  after: z.int().min(0).max(10_000).default(10),
  /** `own`: lines of the same host. `all`: of all hosts in the same second; the answer's `count` is of that second. */
  hosts: z.enum(['own', 'all']).default('own'),
});
export type ContextRequest = z.input<typeof contextRequest>;

export const contextHit = hit.extend({
  /** The line that was asked for. */
  asked: z.literal(true).optional(),
});
export type ContextHit = z.infer<typeof contextHit>;
