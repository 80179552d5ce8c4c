import type { FastifyInstance } from 'fastify';
import { field, fieldsRead } from '#wire/fields';
import { answer } from '#wire/search';
import type { FieldsAnswer } from '#wire/console';
import { parseRequest } from '../../api-error.ts';
import type { SearchSocket } from '../../search-socket.ts';
import { shown } from '../../shown.ts';
import { whoOf } from '../../who.ts';
import { closing } from '../closing.ts';
import { gather } from '../gather.ts';
import { fieldsBody } from './schema.ts';

/** `POST /api/fields` */
export const addFields = (app: FastifyInstance, search: SearchSocket): void => {
  app.post('/api/fields', async (request, reply): Promise<FieldsAnswer> => {
    const body = parseRequest(fieldsBody, request.body);
    const lines = await search.lines('/fields', body, whoOf(request), closing(reply));
    const { lines: fields, rest } = await gather(lines, field, fieldsRead.extend(answer.shape));
    return shown({ fields, ...rest });
  });
};
