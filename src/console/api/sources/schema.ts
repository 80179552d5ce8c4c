import { z } from 'zod';
import { source } from '#wire/search';

/** What search answers to `GET /sources`. */
export const sources = z.array(source);
