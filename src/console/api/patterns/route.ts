import type { FastifyInstance } from 'fastify';
import { patternsFolded, pattern } from '#wire/patterns';
import { answer } from '#wire/search';
import type { PatternsAnswer } from '#wire/console';
import { parseRequest } from '../../api-error.ts';
import type { SearchSocket } from '../../search-socket.ts';
import { shown } from '../../shown.ts';
import { whoOf } from '../../who.ts';
import { closing } from '../closing.ts';
import { gather } from '../gather.ts';
import { patternsBody } from './schema.ts';

/** `POST /api/patterns` */
export const addPatterns = (app: FastifyInstance, search: SearchSocket): void => {
  app.post('/api/patterns', async (request, reply): Promise<PatternsAnswer> => {
    const body = parseRequest(patternsBody, request.body);
    const lines = await search.lines('/patterns', body, whoOf(request), closing(reply));
    const { lines: patterns, rest } = await gather(lines, pattern, patternsFolded.extend(answer.shape));
    return shown({ patterns, ...rest });
  });
};
