import { z } from 'zod';

/**
 * Which fields were taken out of lines, over `run/search.sock` (src/wire/search.ts).
 *
 *     POST /fields   FieldsRequest → NDJSON: Field lines, those of most lines first; one FieldsRead line; one Answer line,
 *                    whose count is of the lines that match
 */
export const fieldsRequest = z.strictObject({
  query: z.string().max(10_000).default(''),
  limit: z.int().min(1).max(5000).default(100),
  /** Values of each field. */
  values: z.int().min(0).max(50).default(5),
});
export type FieldsRequest = z.input<typeof fieldsRequest>;

export const field = z.object({
  name: z.string(),
  /** Lines that have it, and their share of the lines that were read, 0–1. */
  lines: z.int(),
  share: z.number(),
  /**
   * The most frequent values, cut after 200 bytes. `atLeast`: of a field with so many values (100 and more) not all are
   * told apart; as many lines as that have this one, and maybe more.
   */
  values: z.array(z.object({ value: z.string(), lines: z.int(), atLeast: z.literal(true).optional() })),
});
export type Field = z.infer<typeof field>;

export const fieldsRead = z.object({
  read: z.object({
    /** Lines that were read, the newest ones, and lines that there are. */
    lines: z.int(),
    of: z.int(),
    /** Fields that were found, of which at most `limit` were sent. */
    fields: z.int(),
  }),
});
export type FieldsRead = z.infer<typeof fieldsRead>;
