import type { FastifyInstance } from 'fastify';
import type { SearchSocket } from '../../search-socket.ts';
import { shownSource } from '../../shown.ts';
import { sources } from './schema.ts';

/** `GET /api/sources`: who has sent anything, how much, from when to when. */
export const addSources = (app: FastifyInstance, search: SearchSocket): void => {
  app.get('/api/sources', async () => (await search.json('/sources', sources)).map(shownSource));
};
