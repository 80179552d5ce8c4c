import { z } from 'zod';
import { senderFigures } from '#wire/search';

/** What search answers to `GET /senders`. */
export const senders = z.array(senderFigures);
