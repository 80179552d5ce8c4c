import { z } from 'zod';
import { searchRequest } from '#wire/search';

/** Body of `POST /api/search`: a SearchRequest, with a limit that a page can hold. */
export const searchBody = searchRequest.extend({ limit: z.int().min(0).max(5_000).default(500) });
