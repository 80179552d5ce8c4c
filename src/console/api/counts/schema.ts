import { z } from 'zod';
import { countsRequest } from '#wire/counts';

/** Body of `POST /api/counts`: a CountsRequest, with as many groups as a page can hold. */
export const countsBody = countsRequest.extend({ top: z.int().min(1).max(1000).default(20) });
