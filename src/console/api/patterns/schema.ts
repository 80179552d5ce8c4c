import { z } from 'zod';
import { patternsRequest } from '#wire/patterns';

/** Body of `POST /api/patterns`: a PatternsRequest, with as many patterns as a page can hold. */
export const patternsBody = patternsRequest.extend({ limit: z.int().min(1).max(1000).default(200) });
