import { z } from 'zod';

/**
 * The log as a tree of files, *day / host / program*, over `run/search.sock` (src/wire/search.ts).
 *
 *     POST /browse   BrowseRequest → NDJSON: Branch lines in the order of their names, then one Answer line
 *     POST /leaf     LeafRequest → NDJSON, a page: LeafLine lines (with `form: 'hits'` Hit lines), then `{"next":cursor}`;
 *                    the page after the last one has no lines, but one Answer line
 *
 * A path is `[DAY[/HOST[/PROGRAM]]]`: a day in UTC of `time` (`2026-05-12`, `today`, `yesterday`); a host, with `/`, `%`
 * and what is not plain ASCII as `%XX` of UTF-8; a program, in which `/` may stand. `-` is no name, `%2D` the name `-`.
 */
const path = z.string().max(10_000);

export const browseRequest = z.strictObject({ path: path.default('') });
export type BrowseRequest = z.input<typeof browseRequest>;

/** What lies one level below the path; below a whole path that leaf itself. */
export const branch = z.object({
  path: z.string(),
  day: z.string(),
  /** Absent above its level; `null`: lines that name none. */
  host: z.string().nullable().optional(),
  app: z.string().nullable().optional(),
  lines: z.int(),
  /** Of the raw lines as they were received. */
  bytes: z.int(),
  /** RFC 3339 UTC with six decimals. */
  first: z.string(),
  last: z.string(),
  /** Only in the last row, where there are too many names to list: how many more there are. */
  others: z.int().optional(),
});
export type Branch = z.infer<typeof branch>;

export const leafRequest = z.strictObject({
  path,
  /**
   * `text`: each line as a text file has it: the exact bytes; of what was no line of text (an entry of the journal, a
   * record of the kernel) time, host, program and message. `raw`: the exact bytes of these too.
   */
  form: z.enum(['text', 'raw', 'hits']).default('text'),
  /** Where the page begins: the `next` of the one before. What was indexed since the first page is left out. */
  cursor: z.string().max(200).nullable().default(null),
});
export type LeafRequest = z.input<typeof leafRequest>;

export const leafLine = z.object({
  address: z.string(),
  /** base64, without a line feed. */
  bytes: z.string(),
});
export type LeafLine = z.infer<typeof leafLine>;

export const leafNext = z.object({ next: z.string() });
