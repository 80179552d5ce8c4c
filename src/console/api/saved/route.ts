import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { savedSearch } from '#wire/saved';
import { answer } from '#wire/search';
import type { SavedAnswer } from '#wire/console';
import { parseRequest } from '../../api-error.ts';
import type { SearchSocket } from '../../search-socket.ts';
import { shown } from '../../shown.ts';
import { whoOf } from '../../who.ts';
import { closing } from '../closing.ts';
import { gather } from '../gather.ts';
import { done, forgetBody, saveBody } from './schema.ts';

/** `POST /api/saved`, `/api/save` and `/api/forget`: the searches that have a name. */
export const addSaved = (app: FastifyInstance, search: SearchSocket): void => {
  app.post('/api/saved', async (request, reply): Promise<SavedAnswer> => {
    const lines = await search.lines('/saved', {}, whoOf(request), closing(reply));
    const { lines: saved, rest } = await gather(lines, savedSearch, answer);
    return shown({ saved, ...rest });
  });

  const pass = async (
    path: '/save' | '/forget',
    body: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
  ) => {
    const lines = await search.lines(path, body, whoOf(request), closing(reply));
    return (await gather(lines, z.never(), done)).rest;
  };
  app.post('/api/save', (request, reply) =>
    pass('/save', parseRequest(saveBody, request.body), request, reply),
  );
  app.post('/api/forget', (request, reply) =>
    pass('/forget', parseRequest(forgetBody, request.body), request, reply),
  );
};
