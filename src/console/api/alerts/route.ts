import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { alertState, type AlertState } from '#wire/alert';
import type { SearchSocket } from '../../search-socket.ts';
import { shown } from '../../shown.ts';
import { whoOf } from '../../who.ts';
import { closing } from '../closing.ts';
import { gather } from '../gather.ts';

/** `POST /api/alerts`: how each rule stands. What it shows of lines makes it a read. */
export const addAlerts = (app: FastifyInstance, search: SearchSocket): void => {
  app.post('/api/alerts', async (request, reply): Promise<AlertState[]> => {
    const lines = await search.lines('/alerts', {}, whoOf(request), closing(reply));
    return shown((await gather(lines, alertState, z.object({}))).lines);
  });
};
