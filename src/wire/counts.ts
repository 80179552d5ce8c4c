import { z } from 'zod';

/**
 * How many lines match a query: in all, in groups, over time. Over `run/search.sock` (src/wire/search.ts).
 *
 *     POST /counts   CountsRequest → NDJSON: one Counts line, then one Answer line, whose `count` is the total
 */
export const countsRequest = z.strictObject({
  query: z.string().max(10_000),
  /**
   * Count by these: `host`, `app`, `source`, `via`, `listener`, `severity`, `facility`, `pid`, `message`, or the name of
   * an extracted field; of a field that comes more than once in a line the first value counts.
   */
  by: z.array(z.string().min(1).max(200)).max(5).default([]),
  /** The largest groups, at most so many. */
  top: z.int().min(1).max(10_000).default(20),
  /** Bars of the histogram, at most; 0 = no histogram. */
  bars: z.int().min(0).max(500).default(0),
  /** `all`: also the lines of other vaults whose indexes are on the same servers. */
  vaults: z.enum(['own', 'all']).default('own'),
});
export type CountsRequest = z.input<typeof countsRequest>;

export const counts = z.object({
  counts: z.object({
    by: z.array(z.string()),
    /** The largest first. A value is `null` for lines that have none. */
    groups: z.array(z.object({ values: z.array(z.string().nullable()), count: z.int() })),
    /** The groups that are not listed, and the lines in them. */
    others: z.object({ groups: z.int(), count: z.int() }),
    /** From the query's since: (else the first line that matches) to its until: (else now, or the last line). */
    histogram: z
      .object({
        /** Seconds that a bar stands for. */
        step: z.int(),
        /** Without holes; `from` is RFC 3339 UTC. `errors`: those of the lines that are err or worse. */
        bars: z.array(z.object({ from: z.string(), count: z.int(), errors: z.int() })),
      })
      .nullable(),
  }),
});
export type Counts = z.infer<typeof counts>;
