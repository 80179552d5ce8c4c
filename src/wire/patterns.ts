import { z } from 'zod';

/**
 * Similar lines folded into templates, over `run/search.sock` (src/wire/search.ts).
 *
 *     POST /patterns   PatternsRequest → NDJSON: Pattern lines, those with most lines first; one PatternsFolded line; one
 *                      Answer line, whose count is of the lines that match
 */
export const patternsRequest = z.strictObject({
  query: z.string().max(10_000).default(''),
  /** `1h`, `2026-05-12`, … as after `since:`. Then only patterns are given that are new since. */
  newSince: z.string().max(100).nullable().default(null),
  limit: z.int().min(1).max(10_000).default(50),
});
export type PatternsRequest = z.input<typeof patternsRequest>;

export const pattern = z.object({
  /** What differs from line to line is `<*>`. */
  template: z.string(),
  app: z.string().nullable(),
  lines: z.int(),
  /** Of the lines that were folded, 0–1. */
  share: z.number(),
  first: z.string(),
  last: z.string(),
  /** Address of the newest of the lines. */
  example: z.string(),
  /**
   * Only where `newSince` was given. `new`: no line before, of this program and under the same query, fits the template;
   * `unknown`: there was no time to look.
   */
  isNew: z.enum(['new', 'unknown']).optional(),
});
export type Pattern = z.infer<typeof pattern>;

export const patternsFolded = z.object({
  folded: z.object({
    /** Lines that were folded, the newest ones, and lines that there are (with `newSince`: since then). */
    lines: z.int(),
    of: z.int(),
    /** Patterns that were found, of which at most `limit` were sent. */
    patterns: z.int(),
  }),
});
export type PatternsFolded = z.infer<typeof patternsFolded>;
