import { z } from 'zod';

/**
 * Searches under a name, over `run/search.sock` (src/wire/search.ts). They are kept where every call is: the record that
 * somebody asked for `/save` is the saved search, so who saved it is as provable as who read (reader.ts).
 *
 *     POST /save     SaveRequest → `{"saved":name}`; one of that name is replaced
 *     POST /forget   ForgetRequest → `{"forgotten":name}`
 *     POST /saved    → NDJSON: SavedSearch lines in the order of their names, then one Answer line
 */
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, {
  error: 'a name is of letters, digits, _ . and -, at most 64 of them, e.g. failed-logins',
});

export const saveRequest = z.strictObject({ name, query: z.string().min(1).max(4000) });
export type SaveRequest = z.input<typeof saveRequest>;

export const forgetRequest = z.strictObject({ name });
export type ForgetRequest = z.input<typeof forgetRequest>;

export const savedSearch = z.object({
  name: z.string(),
  query: z.string(),
  /** Name, else uid, of who saved it; `null` until that is in the index. */
  by: z.string().nullable(),
  /** RFC 3339 UTC with six decimals. */
  at: z.string(),
});
export type SavedSearch = z.infer<typeof savedSearch>;
