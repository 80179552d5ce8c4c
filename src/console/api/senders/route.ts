import type { FastifyInstance } from 'fastify';
import type { SearchSocket } from '../../search-socket.ts';
import { shownSender } from '../../shown.ts';
import { senders } from './schema.ts';

/** `GET /api/senders`: of each sender what came, and what was lost, torn, refused or not what it claimed to be. */
export const addSenders = (app: FastifyInstance, search: SearchSocket): void => {
  app.get('/api/senders', async () => (await search.json('/senders', senders)).map(shownSender));
};
